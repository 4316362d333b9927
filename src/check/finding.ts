/** How one thing stands. `skipped`: it could not be looked at, and why is said. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped';

/** What a look at one thing has shown. */
export type Finding = {
  readonly verdict: Verdict;
  /** A sentence or two; lines that begin with four spaces are to be shown as they are. */
  readonly message: string;
  /** What fixes it: a line of a file with its place, or a command; written like the message. */
  readonly fix?: string;
  /** Figures, for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
};

type More = Pick<Finding, 'details'>;

/** All is well. */
export function ok(message: string, more: More = {}): Finding {
  return { verdict: 'ok', message, ...more };
}

/** It works, but not as somebody would want it. */
export function warning(message: string, fix?: string, more: More = {}): Finding {
  return { verdict: 'warning', message, ...(fix !== undefined && { fix }), ...more };
}

/** It will not work. */
export function problem(message: string, fix?: string, more: More = {}): Finding {
  return { verdict: 'problem', message, ...(fix !== undefined && { fix }), ...more };
}

/** It could not be looked at. */
export function skipped(message: string): Finding {
  return { verdict: 'skipped', message };
}

class NotLookedAt extends Error {}

/** Thrown where something cannot be looked at for want of something else, which has a finding of its own. */
export function notLookedAt(reason: string): Error {
  return new NotLookedAt(`not checked: ${reason}`);
}

export function isNotLookedAt(error: unknown): error is Error {
  return error instanceof NotLookedAt;
}
