import { readState, type StateKind, type StateRead, stateFileOf, writeState } from '../os/state-file.ts';
import type { Book, Event, Standing } from './book.ts';
import { TOPICS, type Topic } from './topics.ts';

/** The last call of the command. */
export type Call = {
  readonly topic: Topic;
  readonly event: Event;
  /** Wall clock ms. */
  readonly at: number;
  readonly isFailed: boolean;
};

/** What is kept for the next start. */
export type Told = { readonly book: Book; readonly last?: Call };

export type NotifyPlace = { readonly directory: string; readonly master: string };

/** What was told, as its state file has it. */
export const TOLD: StateKind<Told> = {
  name: 'notify',
  version: 1,
  mostBytes: 8192,
  understand(value) {
    const { book, last } = Object(value) as Record<string, unknown>;
    if (typeof book !== 'object' || book === null) return undefined;
    const read = Object.entries(book).map(([topic, it]) => ({ topic, standing: standingOf(it) }));
    const known = read.flatMap(({ topic, standing }) =>
      isTopic(topic) && standing !== undefined ? [[topic, standing] as const] : [],
    );
    const call = last === undefined ? undefined : callOf(last);
    if (known.length !== read.length || (last !== undefined && call === undefined)) return undefined;
    return { book: Object.fromEntries(known), ...(call !== undefined && { last: call }) };
  },
};

const isTopic = (it: unknown): it is Topic => TOPICS.some(topic => topic === it);
/** No date is later, ms. */
const LATEST = 8.64e15;
const isMoment = (it: unknown): it is number => typeof it === 'number' && Math.abs(it) <= LATEST;

function standingOf(value: unknown): Standing | undefined {
  const { isOpen, toldAt } = Object(value) as Record<string, unknown>;
  return typeof isOpen === 'boolean' && isMoment(toldAt) ? { isOpen, toldAt } : undefined;
}

function callOf(value: unknown): Call | undefined {
  const { topic, event, at, isFailed } = Object(value) as Record<string, unknown>;
  if (!isTopic(topic) || (event !== 'trouble' && event !== 'over')) return undefined;
  return isMoment(at) && typeof isFailed === 'boolean' ? { topic, event, at, isFailed } : undefined;
}

export function notifyFileOf({ directory, master }: NotifyPlace): string {
  return stateFileOf(directory, TOLD, master);
}

/** @param now wall clock ms */
export function readTold(place: NotifyPlace, now: number): Promise<StateRead<Told>> {
  return readState(notifyFileOf(place), TOLD, { master: place.master, now });
}

/**
 * @param now wall clock ms
 * @throws the system's error
 */
export function writeTold(place: NotifyPlace, now: number, told: Told): Promise<void> {
  return writeState(
    notifyFileOf(place),
    TOLD,
    { master: place.master, now },
    { ...told, book: keptOf(told.book) },
  );
}

/** The part of a book that the next process needs: a trouble that was not told begins anew there. */
export function keptOf(book: Book): Book {
  return Object.fromEntries(
    Object.entries(book).flatMap(([topic, { isOpen, toldAt }]) =>
      toldAt === undefined ? [] : [[topic, { isOpen, toldAt }] as const],
    ),
  );
}
