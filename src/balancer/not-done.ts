/**
 * Thrown by an edge that has taken note of a task and has not done it, on purpose: neither a success nor a failure. As
 * long as it is called for it is asked for again.
 */
export class NotDone extends Error {
  constructor() {
    super('this task was skipped on purpose');
    this.name = 'NotDone';
  }
}

export function isNotDone(error: unknown): error is NotDone {
  return error instanceof Error && error.name === 'NotDone';
}
