/**
 * What a person can fix: a wrong command line, a wrong configuration, a refused permission. Its message says what
 * happened, where, why and what to do; it is printed without a stack. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  /** The program's exit status: 1 it could not do what was asked, 2 the command line or the configuration is wrong. */
  readonly exitStatus: 1 | 2;

  constructor(message: string, exitStatus: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.exitStatus = exitStatus;
  }
}

/** A mistake on the command line or in the configuration (exit status 2). */
export function usageError(message: string, options?: ErrorOptions): UserError {
  return new UserError(message, 2, options);
}

/** Something that could not be done, with what to do about it (exit status 1). */
export function failure(message: string, options?: ErrorOptions): UserError {
  return new UserError(message, 1, options);
}

export function isUserError(error: unknown): error is UserError {
  return error instanceof UserError;
}

/** The message of anything that was thrown; the cause's too, where the message alone says nothing ("fetch failed"). */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' && !error.message.includes(cause.message)
    ? `${error.message} (${cause.message})`
    : error.message;
}

/** The operating system's code of an error (`ENOENT`, `ECONNREFUSED`), of the error itself or of its cause. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return systemCode(error.cause);
}
