/**
 * Thrown by an edge that deliberately did not do a task: neither a success nor a failure. The task is decided on again
 * for as long as it is due.
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
