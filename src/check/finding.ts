/** The state of one thing. `skipped`: it could not be checked, and the message says why. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped';

/** The result of checking one thing. */
export type Finding = {
  readonly verdict: Verdict;
  /** A sentence or two; lines that begin with four spaces are shown as they are. */
  readonly message: string;
  /** How to fix it: a line of a file with its place, or a command; formatted like the message. */
  readonly fix?: string;
  /** Figures, for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
};

type More = Pick<Finding, 'details'>;

/** All is well. */
export function ok(message: string, more: More = {}): Finding {
  return { verdict: 'ok', message, ...more };
}

/** It works, but not well. */
export function warning(message: string, fix?: string, more: More = {}): Finding {
  return { verdict: 'warning', message, ...(fix !== undefined && { fix }), ...more };
}

/** It will not work. */
export function problem(message: string, fix?: string, more: More = {}): Finding {
  return { verdict: 'problem', message, ...(fix !== undefined && { fix }), ...more };
}

/** It could not be checked. */
export function skipped(message: string): Finding {
  return { verdict: 'skipped', message };
}

class NotChecked extends Error {}

/** Thrown when something cannot be checked because something else is missing, which another topic reports. */
export function notChecked(reason: string): Error {
  return new NotChecked(`not checked: ${reason}`);
}

export function isNotChecked(error: unknown): error is Error {
  return error instanceof NotChecked;
}
