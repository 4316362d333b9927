import type { StateView } from '../balancer/state.ts';
import { type Clock, SECOND } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { stateTrouble } from '../os/state-file.ts';
import { within } from '../os/time-limit.ts';
import { type Book, decide, type Message, NOTHING_TOLD, notTold } from './book.ts';
import {
  type Call,
  keptOf,
  type NotifyPlace,
  notifyFileOf,
  readTold,
  type Told,
  writeTold,
} from './book-file.ts';
import { type Letter, letterOf, send } from './send.ts';
import type { Topic } from './topics.ts';
import { findingsIn } from './troubles.ts';

/** What was told, for `status`. */
export type Notified = {
  readonly last: Call | undefined;
  /** Troubles that were told, and are not over. */
  readonly open: readonly Topic[];
};

/** Tells somebody of troubles, with `[MASTER] notify`. Its methods never throw, and nothing waits for the command. */
export type Notifier = {
  /** Reads what a predecessor has told. */
  open(): Promise<void>;
  /** The balancer has decided; its state holds until the next time. */
  observe(state: StateView, monotonic: number): void;
  notified(): Notified;
  /** Waits a few seconds for what is being told, and ends it. */
  close(): Promise<void>;
};

/** A file system that hangs keeps nobody from being told for longer (ms). */
const DISK_LIMIT = 10 * SECOND;

/** How long (ms) the last message may take when the balancer ends. */
const LAST_MESSAGE = 4 * SECOND;

/** @param parts.place the current place: the configuration may name another directory */
export function createNotifier(parts: {
  readonly place: () => NotifyPlace;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the secrets out of a text. */
  redact(text: string): string;
  readonly send?: (command: string, letter: Letter, options: { signal: AbortSignal }) => Promise<void>;
}): Notifier {
  const { place, clock, log, redact } = parts;
  const tell = parts.send ?? send;
  const end = new AbortController();
  let book: Book = NOTHING_TOLD;
  let last: Call | undefined;
  /** The last failure of the command and of the file: each is logged once. */
  let failed: string | undefined;
  let unsaved: string | undefined;
  let saved = '';
  let working: Promise<void> = Promise.resolve();

  async function save(): Promise<void> {
    const told: Told = { book, ...(last !== undefined && { last }) };
    const text = JSON.stringify({ ...told, book: keptOf(book) });
    if (text === saved) return;
    try {
      await within(DISK_LIMIT, 'writing it', writeTold(place(), clock.wall(), told));
      saved = text;
      unsaved = undefined;
    } catch (error) {
      const why = stateTrouble(notifyFileOf(place()), error);
      if (why !== unsaved)
        log.warn(`what was told cannot be kept, so it is told again after a restart: ${why}`);
      unsaved = why;
    }
  }

  async function work(command: string, message: Message): Promise<void> {
    // First, so that a process that dies here does not tell it twice.
    await save();
    const { topic, event } = message;
    let isFailed = false;
    try {
      await tell(command, letterOf(message, place().master, redact), { signal: end.signal });
      log.debug(`${topic}: [MASTER] notify has been told (${event})`);
      if (failed !== undefined) log.info('[MASTER] notify works again');
      failed = undefined;
    } catch (error) {
      isFailed = true;
      book = notTold(book, message);
      const why = messageOf(error);
      if (why !== failed) log.warn(`nobody was told of a trouble (${topic}): ${why}`);
      failed = why;
    }
    last = { topic, event, at: clock.wall(), isFailed };
    await save();
  }

  return {
    async open() {
      const read = await readTold(place(), clock.wall());
      if (read.kind === 'value') ({ book, last } = { last: undefined, ...read.value });
      if (read.kind === 'unusable')
        log.warn(
          `${notifyFileOf(place())} is not used, so a trouble may be told again, and an end not at all: ${read.why}`,
        );
    },
    observe(state, monotonic) {
      const command = state.config.master.notify;
      if (command === undefined) return;
      const decision = decide(book, findingsIn(state, monotonic), { monotonic, wall: clock.wall() });
      book = decision.book;
      for (const message of decision.tell) working = working.then(() => work(command, message));
    },
    notified: () => ({
      last,
      open: Object.entries(book).flatMap(([topic, { isOpen }]) => (isOpen ? [topic as Topic] : [])),
    }),
    async close() {
      await within(LAST_MESSAGE, '[MASTER] notify', working).catch(() => {});
      end.abort('over');
      await within(SECOND, '[MASTER] notify', working).catch(() => {});
    },
  };
}
