import { SECOND } from '../clock.ts';
import { failure } from '../errors.ts';
import { harmless } from '../format/harmless.ts';
import { PLAIN_ENVIRONMENT, run } from '../os/run.ts';
import type { Event, Message } from './book.ts';
import { ABOUT } from './topics.ts';

/** How the log calls the command, which may have a secret in it. */
export const WHAT = '[MASTER] notify';

/** A command that takes longer (ms) is killed with everything that it started. */
export const TIME_LIMIT = 30 * SECOND;

/** The most of a sentence that is sent, characters: errors of AWS may be pages long. */
const LONGEST = 2000;

/** A message as the command gets it. */
export type Letter = {
  /** The value of TOPIC; `test` for one that only tries the command. */
  readonly topic: string;
  readonly event: Event | 'test';
  readonly master: string;
  readonly subject: string;
  /** What it reads from its standard input. */
  readonly text: string;
};

/** @param redact takes the secrets out of a text */
export function letterOf(message: Message, master: string, redact: (text: string) => string): Letter {
  const { topic, event } = message;
  const { title, advice } = ABOUT[topic];
  const all = harmless(redact(message.sentence));
  const sentence = all.length <= LONGEST ? all : `${all.slice(0, LONGEST - 1)}…`;
  return {
    topic,
    event,
    master,
    subject: `GBrowse render farm ${harmless(master)}: ${event === 'over' ? 'over: ' : ''}${title}`,
    text: event === 'over' ? `${sentence}\n` : `${sentence}\n\n${advice}\n`,
  };
}

/** The message of `check --notify`. */
export function testLetter(master: string): Letter {
  return {
    topic: 'test',
    event: 'test',
    master,
    subject: `GBrowse render farm ${harmless(master)}: a test`,
    text: 'This is a test of "gbrowse-aws-balancer check --notify": messages about troubles arrive. Nothing has to be done.\n',
  };
}

/**
 * Runs the command for a message, never as root, with nothing of our environment. What it writes is not looked at; an
 * error has the end of it.
 *
 * @param as the user to run it as; unset: our own
 * @throws {UserError} when it cannot be started, fails, takes too long, or would run as root
 */
export async function send(
  command: string,
  { topic, event, master, subject, text }: Letter,
  options: {
    readonly as?: { readonly uid: number; readonly gid: number };
    readonly signal?: AbortSignal;
  } = {},
): Promise<void> {
  if ((options.as?.uid ?? process.geteuid?.()) === 0)
    throw failure(`${WHAT} is not run as root: start the balancer with --user, or as another user`);
  await run(['/bin/sh', '-c', command], {
    ...options,
    timeLimit: TIME_LIMIT,
    what: WHAT,
    input: text,
    env: { ...PLAIN_ENVIRONMENT, SUBJECT: subject, TOPIC: topic, EVENT: event, MASTER: master },
  });
}
