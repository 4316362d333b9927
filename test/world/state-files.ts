import type { Clock } from '../../src/clock.ts';
import { failure } from '../../src/errors.ts';
import {
  type StateKind,
  type StateRead,
  type StateStore,
  stateFileOf,
  stateText,
  understandState,
} from '../../src/os/state-file.ts';
import type { Disk } from './disk.ts';

/** How a state file is lost. */
export type Loss = 'torn' | 'gone' | 'of another master';

const DIRECTORY = '/var/lib/gbrowse-aws-balancer';

/** The state files of a master's machine. They lose nothing by themselves. */
export type StateFiles = {
  readonly directory: string;
  /** As a process uses them: what it has not written when it is killed is never written. */
  storeOf(life: { readonly alive: boolean }): StateStore;
  /** What a file says now. */
  read<T>(kind: StateKind<T>): StateRead<T>;
  /** Somebody writes a file at the prompt; undefined removes it. */
  write<T>(kind: StateKind<T>, value: T | undefined): void;
  lose(kind: Pick<StateKind<unknown>, 'name'>, how: Loss): void;
};

/** @param clock true time; @param wall what the machine's clock shows */
export function createStateFiles(master: string, clock: Clock, wall: () => number, disk: Disk): StateFiles {
  const texts = new Map<string, string>();
  const fileOf = (kind: Pick<StateKind<unknown>, 'name'>) => stateFileOf(DIRECTORY, kind, master);
  const understood = <T>(
    file: string,
    kind: StateKind<T>,
    of: { readonly master: string; readonly now: number },
  ) => {
    const text = texts.get(file);
    const nothing: StateRead<T> = { kind: 'missing' };
    return text === undefined ? nothing : understandState(text, kind, of.master, of.now);
  };

  return {
    directory: DIRECTORY,
    storeOf: life => ({
      read: async (file, kind, of) => understood(file, kind, of),
      async write(file, kind, of, value) {
        await clock.sleep(2);
        const trouble = disk.trouble();
        if (trouble !== undefined) throw failure(`the disk is ${trouble}`);
        if (life.alive) texts.set(file, stateText(kind, of, value));
      },
      async remove(file) {
        await clock.sleep(1);
        if (life.alive) texts.delete(file);
      },
    }),
    read: kind => understood(fileOf(kind), kind, { master, now: wall() }),
    write(kind, value) {
      if (value === undefined) texts.delete(fileOf(kind));
      else texts.set(fileOf(kind), stateText(kind, { master, now: wall() }, value));
    },
    lose(kind, how) {
      const file = fileOf(kind);
      const text = texts.get(file);
      if (text === undefined) return;
      if (how === 'gone') texts.delete(file);
      else if (how === 'torn') texts.set(file, text.slice(0, Math.floor(text.length * 0.6)));
      else texts.set(file, text.replace(JSON.stringify(master), '"another"'));
    },
  };
}
