import { NO_ANSWER } from '../../../src/ec2/errors.ts';

/** What EC2 refuses, by its error code; the stand-in makes it the `Ec2Error` of the action that was called. */
export class Refusal extends Error {
  readonly code: string;
  readonly httpStatus: number | undefined;

  constructor(code: string, message: string, httpStatus: number | undefined = httpStatusOf(code)) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.httpStatus = httpStatus;
  }
}

/** The HTTP status that EC2 sends with a code; none where no answer comes. */
function httpStatusOf(code: string): number | undefined {
  if (code === NO_ANSWER) return undefined;
  if (/^(UnauthorizedOperation|OptInRequired|Blocked)$/.test(code)) return 403;
  if (/^(AuthFailure|SignatureDoesNotMatch|InvalidClientTokenId)$/.test(code)) return 401;
  if (code === 'DryRunOperation') return 412;
  if (/^(RequestLimitExceeded|Unavailable|ServiceUnavailable)$/.test(code)) return 503;
  if (/^(InternalError|InternalFailure|InsufficientInstanceCapacity)$/.test(code)) return 500;
  return 400;
}

/**
 * A request that this stand-in does not understand: a bug, not something that EC2 would answer. Ignoring it silently
 * would let a test pass that says nothing.
 */
export function notServed(what: string): Error {
  return new Error(`the simulated EC2 does not serve ${what}`);
}

/** Throws for a key of `given` that is not among `served`. */
export function onlyServed<T extends object>(
  what: string,
  given: T | undefined,
  served: readonly (keyof T)[],
): void {
  for (const [key, value] of Object.entries(given ?? {})) {
    if (value !== undefined && !served.some(it => it === key)) throw notServed(`${what}.${key}`);
  }
}
