import type { Level } from '../log/log.ts';

/** Something that the balancer said. */
export type Event = { readonly at: number; readonly level: Level; readonly message: string };

/** The last things that it said, the oldest first. */
export type Events = {
  readonly decisions: readonly Event[];
  /** Warnings and errors, which decisions would push out. */
  readonly problems: readonly Event[];
  readonly warnings: number;
  readonly errors: number;
};

export const NO_EVENTS: Events = { decisions: [], problems: [], warnings: 0, errors: 0 };

const MOST_DECISIONS = 20;
const MOST_PROBLEMS = 10;
/** Errors of AWS may be pages long. */
const LONGEST_MESSAGE = 600;

/** It said something, at a moment of the wall clock (ms). What only `--verbosity 3` shows is no decision. */
export function remember(events: Events, level: Level, message: string, at: number): Events {
  if (level === 'debug') return events;
  const text = message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 1)}…`;
  const event = { at, level, message: text };
  const isProblem = level !== 'info';
  return {
    decisions: [...events.decisions, event].slice(-MOST_DECISIONS),
    problems: isProblem ? [...events.problems, event].slice(-MOST_PROBLEMS) : events.problems,
    warnings: events.warnings + (level === 'warn' ? 1 : 0),
    errors: events.errors + (level === 'error' ? 1 : 0),
  };
}
