import { STATE_FILES, type StateKind, type StateRead, stateFileOf } from '../os/state-file.ts';
import { type Book, believable, type Hour, NO_BOOK, type Said } from './book.ts';
import { packed, unpacked } from './tally.ts';

/** Where the history of a master is. */
export type HistoryPlace = { readonly directory: string; readonly master: string };

type Recent = Omit<Book, 'hours' | 'said'>;

/** Written every minute, so that a crash loses at most a minute. */
export const RECENT: StateKind<unknown> = kind('history-recent', 512 * 1024);
/** Written every hour: 60 days of hours, each with the load of its minutes. */
const HOURS: StateKind<unknown> = kind('history-hours', 2 * 1024 * 1024);
const SAID: StateKind<unknown> = kind('history-log', 1024 * 1024);

function kind(name: string, mostBytes: number): StateKind<unknown> {
  // Entries of the future are dropped one by one.
  return { name, version: 1, mostBytes, mayBeFuture: true, understand: value => value };
}

/** A part of the history as the text of its file; an unchanged part is not written again. */
export type Part = { readonly kind: StateKind<unknown>; value(book: Book): unknown };

export const PARTS: readonly Part[] = [
  {
    kind: RECENT,
    value: ({ minutes, launched, reclaimed, bootTime }) => ({
      minutes: minutes.map(packed),
      launched,
      reclaimed,
      bootTime,
    }),
  },
  { kind: HOURS, value: ({ hours }) => hours.map(({ tally, loads }) => [packed(tally), loads]) },
  { kind: SAID, value: ({ said }) => said.map(({ at, level, message }) => [at, level, message]) },
];

/** @param now wall clock ms */
export async function writePart(
  place: HistoryPlace,
  part: Part,
  now: number,
  value: unknown,
  store = STATE_FILES,
): Promise<void> {
  await store.write(
    stateFileOf(place.directory, part.kind, place.master),
    part.kind,
    { master: place.master, now },
    value,
  );
}

/**
 * The history from its files; unusable parts are empty.
 *
 * @param now wall clock ms
 * @returns also what was not used, and why
 */
export async function readBook(
  place: HistoryPlace,
  now: number,
  store = STATE_FILES,
): Promise<{ readonly book: Book; readonly unused: readonly string[]; readonly isThere: boolean }> {
  const unused: string[] = [];
  let isThere = false;
  async function read<T>(
    it: StateKind<unknown>,
    understand: (value: unknown) => T | undefined,
  ): Promise<T | undefined> {
    const file = stateFileOf(place.directory, it, place.master);
    const found: StateRead<T> = await store.read(file, { ...it, understand }, { master: place.master, now });
    if (found.kind === 'unusable') unused.push(`${file}: ${found.why}`);
    if (found.kind === 'value') isThere = true;
    return found.kind === 'value' ? found.value : undefined;
  }
  const [recent, hours, said] = await Promise.all([
    read(RECENT, recentOf),
    read(HOURS, value => listOf(value, hourIn)),
    read(SAID, value => listOf(value, saidIn)),
  ]);
  const book = { ...NO_BOOK, ...recent, ...(hours && { hours }), ...(said && { said }) };
  return { book: believable(book, now), unused, isThere };
}

function recentOf(value: unknown): Recent | undefined {
  const fields = new Map<string, unknown>(Object.entries(value ?? {}));
  const minutes = listOf(fields.get('minutes'), unpacked);
  const ids = (name: string) => listOf(fields.get(name), it => (typeof it === 'string' ? it : undefined));
  const [launched, reclaimed, bootTime] = [ids('launched'), ids('reclaimed'), fields.get('bootTime')];
  if (minutes === undefined || launched === undefined || reclaimed === undefined) return undefined;
  return { minutes, launched, reclaimed, ...(typeof bootTime === 'number' && { bootTime }) };
}

function hourIn(value: unknown): Hour | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const tally = unpacked(value[0]);
  const loads: unknown = value[1];
  if (tally === undefined || !Array.isArray(loads) || loads.length !== 60) return undefined;
  const isLoad = (it: unknown) => it === null || (typeof it === 'number' && Number.isFinite(it) && it >= 0);
  return loads.every(isLoad) ? { tally, loads } : undefined;
}

function saidIn(value: unknown): Said | undefined {
  if (!Array.isArray(value)) return undefined;
  const [at, level, message]: unknown[] = value;
  if (typeof at !== 'number' || !Number.isFinite(at) || typeof message !== 'string') return undefined;
  return level === 'info' || level === 'warn' || level === 'error' ? { at, level, message } : undefined;
}

function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list = value.map(read);
  return list.every(it => it !== undefined) ? list : undefined;
}
