import { HOUR } from '../clock.ts';
import { ABOUT, TOPICS, type Topic } from './topics.ts';
import type { Findings } from './troubles.ts';

/** `trouble`: there is one; `over`: it is over. */
export type Event = 'trouble' | 'over';

/** How a topic stands. */
export type Standing = {
  /** Whether a trouble was told whose end was not told. */
  readonly isOpen: boolean;
  /** When somebody was last told of this topic, wall clock ms. */
  readonly toldAt?: number;
  /** Since when there is trouble (monotonic ms), as this process knows it. */
  readonly presentSince?: number;
};

/** What was told. A topic that is not in it was never told of. */
export type Book = Readonly<Partial<Record<Topic, Standing>>>;

export const NOTHING_TOLD: Book = {};

/** Something to tell. */
export type Message = {
  readonly topic: Topic;
  readonly event: Event;
  /** What is so, in a sentence. */
  readonly sentence: string;
};

/** Nobody is told of a topic again, not even that it is over, before this has passed (ms). */
export const TOLD_EVERY = HOUR;

/**
 * Whom to tell what, from what is found now. Each trouble is told once, when it has lasted long enough, and its end once.
 * An end, or another trouble, within an hour of the last message waits for the end of that hour, and one that has passed
 * by then is not told.
 */
export function decide(
  book: Book,
  findings: Findings,
  now: { readonly monotonic: number; readonly wall: number },
): { readonly book: Book; readonly tell: readonly Message[] } {
  const tell: Message[] = [];
  const standings = TOPICS.flatMap(topic => {
    const finding = findings[topic];
    const before = book[topic];
    const isPresent = typeof finding === 'object';
    if (!isPresent && before === undefined) return [];
    const { isOpen = false, toldAt } = before ?? {};
    // A clock that was set back must not silence a topic for longer than an hour.
    const told = toldAt === undefined ? undefined : Math.min(toldAt, now.wall);
    const presentSince = isPresent ? (before?.presentSince ?? now.monotonic) : undefined;
    const kept = {
      isOpen,
      ...(told !== undefined && { toldAt: told }),
      ...(presentSince !== undefined && { presentSince }),
    };
    const mayTell = told === undefined || now.wall - told >= TOLD_EVERY;
    if (mayTell && isPresent && !isOpen && now.monotonic - (presentSince ?? 0) >= ABOUT[topic].after) {
      tell.push({ topic, event: 'trouble', sentence: finding.sentence });
      return [[topic, { ...kept, isOpen: true, toldAt: now.wall }] as const];
    }
    if (mayTell && finding === 'absent' && isOpen) {
      tell.push({ topic, event: 'over', sentence: ABOUT[topic].over });
      return [[topic, { ...kept, isOpen: false, toldAt: now.wall }] as const];
    }
    return [[topic, kept] as const];
  });
  return { book: Object.fromEntries(standings), tell };
}

/** The book when a message reached nobody: it is told after an hour, if it is still so. */
export function notTold(book: Book, { topic, event }: Message): Book {
  return { ...book, [topic]: { ...book[topic], isOpen: event === 'over' } };
}
