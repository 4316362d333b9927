import type { State } from '../balancer/state.ts';
import { type Clock, MINUTE } from '../clock.ts';
import type { Log, Level as LogLevel } from '../log/log.ts';
import { type StateStore, stateTrouble } from '../os/state-file.ts';
import { bootTimeOf } from '../policy/release.ts';
import type { Slave } from '../spot/slave.ts';
import { levelOf } from '../status/levels.ts';
import type { Rate } from '../status/money.ts';
import { type Book, counted, type Held, held, LATE, NO_BOOK, noted, withLoad } from './book.ts';
import { type HistoryPlace, PARTS, readBook, writePart } from './files.ts';

/** Keeps the history of a balancer in memory, and in files that survive it. Its methods never throw. */
export type Historian = {
  /** Reads what a predecessor has written. */
  open(): Promise<void>;
  /** The balancer has decided; its state holds until the next time. */
  observe(state: Readonly<State>, monotonic: number, rate: Rate): void;
  hear(level: LogLevel, message: string): void;
  book(): Book;
  /** Writes what is not written yet. */
  close(): Promise<void>;
};

const WRITE_INTERVAL = MINUTE;

/** @param parts.place the current place: the configuration may name another directory */
export function createHistorian(parts: {
  readonly place: () => HistoryPlace;
  readonly clock: Clock;
  readonly log: Log;
  readonly store?: StateStore;
}): Historian {
  const { clock, log, store } = parts;
  let book: Book = NO_BOOK;
  /** Whether EC2 was asked to end each instance: one that is gone without that was interrupted. */
  let asked: ReadonlyMap<string, boolean> = new Map();
  let before: { readonly at: number; readonly what: Held } | undefined;
  /** Spans since the last reading of the load, of which only the next reading says how many requests came. */
  let unread: readonly { readonly until: number; readonly ms: number; readonly what: Held }[] = [];
  let readAt: number | undefined;
  let writtenAt = clock.monotonic();
  let trouble: string | undefined;
  let writing: Promise<void> = Promise.resolve();
  const written = new Map<string, string>();

  async function write(): Promise<void> {
    const place = parts.place();
    for (const part of PARTS) {
      const value = part.value(book);
      const text = `${place.directory}\0${JSON.stringify(value)}`;
      if (written.get(part.kind.name) === text) continue;
      try {
        await writePart(place, part, clock.wall(), value, store);
        written.set(part.kind.name, text);
        if (trouble !== undefined) log.info('the history can be written again');
        trouble = undefined;
      } catch (error) {
        const why = stateTrouble(place.directory, error);
        if (why !== trouble) log.warn(`the history in ${place.directory} cannot be written: ${why}`);
        trouble = why;
        return;
      }
    }
  }

  /** Adds the load (requests/s) of the spans since the last reading, if the next one has found it. */
  function settle(requestsPerSecond: number | undefined): void {
    for (const { until, ms, what } of unread)
      book = withLoad(book, until, ms, { ...what, level: { ...what.level, requestsPerSecond } });
    unread = [];
  }

  /** Spans that no reading has come for in time have the load of the reading before. */
  function settleLate(wall: number): void {
    const late = unread.filter(({ until }) => until <= wall - LATE);
    if (late.length === 0) return;
    for (const { until, ms, what } of late) book = withLoad(book, until, ms, what);
    unread = unread.filter(it => !late.includes(it));
  }

  return {
    async open() {
      const { book: found, unused } = await readBook(parts.place(), clock.wall(), store);
      for (const why of unused) log.warn(`a part of the history is not used, and starts again: ${why}`);
      book = { ...found, said: [...found.said, ...book.said] };
    },
    observe(state, monotonic, rate) {
      const wall = clock.wall();
      const level = levelOf(state);
      if (before !== undefined) {
        const { what } = before;
        const ms = Math.max(0, monotonic - before.at);
        book = held(book, wall, ms, { ...what, level: { ...what.level, requestsPerSecond: undefined } });
        unread = [...unread, { until: wall, ms, what }];
        settleLate(wall);
      }
      if (state.readAt !== readAt) settle(level.requestsPerSecond);
      readAt = state.readAt;
      const members = [...state.members.values()];
      const isOwn = ({ launchToken }: Slave) => launchToken?.startsWith(state.runId) === true;
      const lost = [...asked].flatMap(([id, isAsked]) => (isAsked || state.members.has(id) ? [] : [id]));
      book = counted(book, wall, {
        // A predecessor has counted its own launches.
        launched: members.filter(it => isOwn(it.slave)).map(it => it.slave.instanceId),
        reclaimed: [...members.filter(it => it.slave.reclaimed).map(it => it.slave.instanceId), ...lost],
      });
      asked = new Map(
        members.map(it => [it.slave.instanceId, it.leaving?.terminateAskedAt !== undefined] as const),
      );
      if (state.boots.length > 0) book = { ...book, bootTime: bootTimeOf(state.boots) };
      before = { at: monotonic, what: { level, rate, paused: state.pause !== undefined } };
      if (monotonic - writtenAt < WRITE_INTERVAL) return;
      writtenAt = monotonic;
      writing = writing.then(write);
    },
    hear(level, message) {
      book = noted(book, { at: clock.wall(), level, message });
    },
    book: () => book,
    async close() {
      settle(before?.what.level.requestsPerSecond);
      writing = writing.then(write);
      await writing;
    },
  };
}
