import { type Balancer, startBalancer } from '../../src/balancer/loop.ts';
import type { End } from '../../src/balancer/state.ts';
import { LEDGER } from '../../src/budget/ledger-file.ts';
import { SECOND } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { failure, type UserError } from '../../src/errors.ts';
import { listedIn } from '../../src/farm/renderfarm.ts';
import { RECENT } from '../../src/history/files.ts';
import { PAUSE } from '../../src/pause/pause-file.ts';
import { type Pause, pauseAt } from '../../src/policy/pause.ts';
import { configOf } from './configuration.ts';
import type { Disk } from './disk.ts';
import { edgesOf, type MasterOptions, type Surroundings } from './edges.ts';
import type { Settings } from './history.ts';
import type { MachineClock } from './machine-clock.ts';
import { createStateFiles, type StateFiles } from './state-files.ts';

/** The master's address, which slaves let in. */
export const ADDRESS = '198.51.100.7';
/** After an exit that nobody asked for, the service manager starts the daemon again. */
const START_AGAIN = 10 * SECOND;

/** A master's machine: the balancer's process on it comes and goes. */
export type Master = {
  readonly name: string;
  readonly clock: MachineClock;
  readonly disk: Disk;
  /** The configuration in force, as the administrator wrote it. */
  config(): Config;
  /** The largest `max` that was in force at any time since `moment` (true monotonic time, ms). */
  ceilingSince(moment: number): number;
  /** The most slaves on demand that were allowed at any time since then. */
  onDemandSince(moment: number): number;
  /** The shortest `drain_time` that was in force since then. */
  drainTimeSince(moment: number): number;
  /** The longest `orphan_timeout` that ever was in force. */
  orphanTimeout(): number;
  /** The process, when one runs. */
  process(): Process | undefined;
  /** Starts the daemon unless it runs. */
  start(): void;
  kill(downtime?: number): void;
  /** The machine goes down for good. */
  retire(): void;
  /** The part that writes the farm file is killed: the balancer has to end. */
  killKeeper(): void;
  /** What was spent, a pause: what outlives a process. */
  readonly states: StateFiles;
  /** Whether the file with the latest hours of the history can be used. */
  hasHistory(): boolean;
  /** The pause that the administrator has asked for and that is not over by the machine's clock. */
  paused(): Pause | undefined;
  /** The administrator begins a pause, for so long or until somebody ends it; undefined ends it. */
  pause(pause: { readonly release: boolean; readonly duration?: number } | undefined): void;
  stop(how: 'cleanly' | 'hurried' | 'keeping slaves', downtime?: number): void;
  /** Somebody writes the configuration file. */
  write(settings: Settings): void;
  /** SIGHUP: the file is read again. */
  reload(): void;
  /** When the configuration in force was last changed; how often it was read again since a moment. True monotonic ms. */
  changedAt(): number;
  reloadsSince(moment: number): number;
  /** How often it was started. */
  starts(): number;
  /** After this many moments from now (something is sent, happens, is answered) the process is killed; unset: never. */
  killAfter(moments?: number, downtime?: number): void;
  /** To be called at each such moment; says whether the process has just been killed. */
  moment(): boolean;
};

export type Process = {
  readonly balancer: Balancer;
  readonly number: number;
  /** True monotonic time, ms. */
  readonly startedAt: number;
  alive: boolean;
  stopping?: { readonly how: string; readonly at: number };
  decisions: number;
  /** How it ended, when it did by itself. */
  end?: End;
};

export function createMaster(name: string, around: Surroundings, options: MasterOptions): Master {
  const { clock, machine } = around;
  let config = configOf(name, options.settings);
  /** What the file says, when it has not been read yet. */
  let written: Config | undefined;
  const states = createStateFiles(name, clock, machine.wall, around.disk);
  /** Resolves when there is something to follow. */
  const everPaused = Promise.withResolvers<void>();
  const past: { readonly since: number; readonly config: Config }[] = [{ since: clock.monotonic(), config }];
  let process: Process | undefined;
  let starts = 0;
  let retired = false;
  let asSeen = (it: Config) => it;
  let keeper = Promise.withResolvers<UserError>();
  let fuse: { left: number; readonly downtime: number } | undefined;

  function readFile(): void {
    if (written === undefined) return;
    config = written;
    written = undefined;
    past.push({ since: clock.monotonic(), config });
  }

  async function readIfWritten(life: { readonly alive: boolean }): Promise<Config | undefined> {
    if (written === undefined) return undefined;
    await clock.sleep(SECOND);
    if (written === undefined || !life.alive) return undefined;
    readFile();
    return asSeen(config);
  }

  const inForceSince = (moment: number) =>
    past.filter((_, at) => (past[at + 1]?.since ?? Number.POSITIVE_INFINITY) >= moment);

  function later(ms: number, act: () => void): void {
    void clock.sleep(Math.max(1, ms)).then(act);
  }

  function exit(): void {
    if (process?.alive !== true) return;
    process.alive = false;
    around.onEnd(process, new Error('the process ended itself'));
    later(START_AGAIN, start);
  }

  function start(): void {
    if (process?.alive || retired) return;
    if (machine.isAsleep()) {
      void machine.awake().then(start);
      return;
    }
    const trouble = around.disk.trouble();
    // A start reads the file, and fails if that takes too long.
    if (trouble === 'unreadable' || trouble === 'hangs') {
      around.log('error', 'cannot start: renderfarm.conf cannot be read');
      later(START_AGAIN, start);
      return;
    }
    readFile();
    starts += 1;
    keeper = Promise.withResolvers();
    const life = { alive: true, decisions: 0 };
    const current: { balancer?: Balancer } = {};
    const { edges, pauses, seen, meddle } = edgesOf(life, {
      name,
      around,
      options,
      states,
      run: starts,
      crippled: keeper.promise,
      readConfigIfWritten: () => readIfWritten(life),
      process: () => process,
      exit,
    });
    const read = states.read(LEDGER);
    const pause = paused();
    around.onSpent(read.kind === 'value');
    asSeen = seen;
    const balancer = startBalancer(
      {
        ...edges,
        clock: {
          ...edges.clock,
          sleep: (ms, signal) => {
            life.decisions += 1;
            if (current.balancer !== undefined) meddle?.(current.balancer.state);
            return edges.clock.sleep(ms, signal);
          },
        },
      },
      {
        config: seen(config),
        runId: `${name}-${String(starts).padStart(6, '0')}`,
        listed: listedIn(around.disk.text() ?? ''),
        ...(pause !== undefined && { pause }),
        spent: { file: 'budget', read },
      },
    );
    current.balancer = balancer;
    void everPaused.promise.then(() => pauses.follow(balancer.pause, new AbortController().signal));
    const started: Process = Object.assign(life, {
      balancer,
      number: starts,
      startedAt: clock.monotonic(),
    });
    process = started;
    around.onStart(started);
    balancer.ended.then(
      end => {
        if (!started.alive) return;
        started.alive = false;
        started.end = end;
        around.onEnd(started, end);
        if (end === 'crippled' && started.stopping === undefined) later(START_AGAIN, start);
      },
      (error: unknown) => {
        started.alive = false;
        around.onEnd(started, error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  function paused(): Pause | undefined {
    const read = states.read(PAUSE);
    return read.kind === 'value' ? pauseAt(read.value, machine.wall()) : undefined;
  }

  function kill(downtime?: number): void {
    if (process?.alive !== true) return;
    process.alive = false;
    fuse = undefined;
    around.onKill(process);
    if (downtime !== undefined) later(downtime, start);
  }

  return {
    name,
    clock: machine,
    disk: around.disk,
    states,
    paused,
    hasHistory: () => states.read(RECENT).kind === 'value',
    pause(wanted) {
      const since = machine.wall();
      if (machine.isAsleep() || around.disk.trouble() !== undefined) return;
      everPaused.resolve();
      const { release = false, duration } = wanted ?? {};
      const until = duration === undefined ? {} : { until: since + duration };
      states.write(PAUSE, wanted && { since, ...until, release });
    },
    config: () => config,
    ceilingSince: moment =>
      Math.max(...inForceSince(moment).flatMap(it => it.config.loadTable.map(row => row.max))),
    onDemandSince: moment => Math.max(...inForceSince(moment).map(it => it.config.slave.onDemand)),
    drainTimeSince: moment => Math.min(...inForceSince(moment).map(it => it.config.master.drainTime)),
    orphanTimeout: () => Math.max(...past.map(it => it.config.slave.orphanTimeout)),
    process: () => (process?.alive ? process : undefined),
    start,
    kill,
    retire() {
      kill();
      retired = true;
    },
    killKeeper() {
      if (process?.alive === true && !machine.isAsleep()) keeper.resolve(failure('the keeper has ended'));
    },
    stop(how, downtime) {
      const stopping = process;
      if (stopping?.alive !== true || machine.isAsleep() || stopping.stopping !== undefined) return;
      stopping.stopping = { how, at: clock.monotonic() };
      stopping.balancer.stop({ keepSlaves: how === 'keeping slaves' });
      if (how === 'hurried') later(SECOND, () => stopping.alive && stopping.balancer.stop());
      const again = () => later(downtime ?? 0, start);
      if (downtime !== undefined) void stopping.balancer.ended.then(again, again);
    },
    write(settings) {
      written = configOf(name, settings);
    },
    reload() {
      // Whoever does not run reads it at the start.
      if (process?.alive !== true || process.stopping !== undefined) return;
      written ??= config;
      readFile();
      process.balancer.reconfigure(asSeen(config));
    },
    changedAt: () => past.at(-1)?.since ?? 0,
    reloadsSince: moment => past.filter(it => it.since >= moment).length,
    starts: () => starts,
    killAfter(moments, downtime = 0) {
      fuse = moments === undefined ? undefined : { left: moments, downtime };
    },
    moment() {
      if (fuse === undefined || process?.alive !== true) return false;
      fuse.left -= 1;
      if (fuse.left >= 0) return false;
      kill(fuse.downtime);
      return true;
    },
  };
}
