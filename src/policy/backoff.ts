import { HOUR, MINUTE, SECOND } from '../clock.ts';
import { PASSING, type Trouble } from '../ec2/errors.ts';

/** How recent launches went. All moments are monotonic milliseconds. */
export type Backoff = {
  /** Failures in a row of the action that failed last. */
  readonly refusals: number;
  /** The action that failed last: `CreateFleet`, or one that a launch needs before it. */
  readonly refusedAction?: string;
  /** Why it failed, while `refusals` is above 0. */
  readonly refusedFor?: Trouble;
  /** Slaves in a row that did not become ready, or died soon after. */
  readonly failedBoots: number;
  /** Nothing is launched before this moment. */
  readonly notBefore: number;
  /** Why, for people; undefined when launches are not held back. */
  readonly reason?: string;
  /** Moments of the launches of the last hour, one an instance. */
  readonly launches: readonly number[];
  /** Moments at which slaves became ready, in the last hour. */
  readonly ready: readonly number[];
};

export const NO_BACKOFF: Backoff = { refusals: 0, failedBoots: 0, notBefore: 0, launches: [], ready: [] };

/** Launches an hour: this many times the largest `max` that gave no slave, and this many times that in all. */
const FRUITLESS = 4;
const IN_ALL = 3;
/** Small farms may try as often as this. */
const FRUITLESS_AT_LEAST = 12;

/** After this many failed boots in a row only single attempts are made, slower and slower. */
export const FAILED_BOOTS_TOLERATED = 5;

/** The action that launches: only its failures say something about capacity, price and quotas. */
const LAUNCH = 'CreateFleet';

/** First and longest wait after a preparation failed for a reason that passes by itself: nothing was launched. */
const PREPARING = [SECOND, MINUTE] as const;

/** First and longest wait after a refusal: it doubles from one to the other. */
const WAITS: Record<Trouble, readonly [first: number, longest: number]> = {
  // A pool without capacity may have some in the next minute, and the price moves about as often.
  capacity: [30 * SECOND, 10 * MINUTE],
  price: [MINUTE, 5 * MINUTE],
  // A quota is raised by people, and frees itself when slaves end.
  quota: [2 * MINUTE, 30 * MINUTE],
  // The bucket of CreateFleet and RunInstances refills with two a second.
  throttling: [5 * SECOND, 2 * MINUTE],
  // Somebody has to change a policy, a key or the configuration; after SIGHUP the balancer tries at once.
  permission: [MINUTE, 30 * MINUTE],
  credentials: [30 * SECOND, 10 * MINUTE],
  request: [MINUTE, 30 * MINUTE],
  gone: [10 * SECOND, 10 * MINUTE],
  // The request was changed under its token: the next one has a new token.
  mismatch: [5 * SECOND, MINUTE],
  'in-use': [5 * SECOND, MINUTE],
  exists: [5 * SECOND, MINUTE],
  // EC2 itself fails: the same request is repeated soon, with the same token.
  unreachable: [3 * SECOND, 2 * MINUTE],
  service: [3 * SECOND, 2 * MINUTE],
};

function doubled(first: number, longest: number, times: number): number {
  return Math.min(longest, first * 2 ** Math.min(times, 20));
}

/**
 * The backoff after a launch was refused (by an error, or by CreateFleet's errors alone), or something that it needs
 * failed. A failure of a different action means progress, so the backoff starts over.
 */
export function afterRefusal(
  backoff: Backoff,
  trouble: Trouble,
  reason: string,
  now: number,
  action: string = LAUNCH,
): Backoff {
  const before = backoff.refusedAction === action ? backoff.refusals : 0;
  const [first, longest] = action !== LAUNCH && PASSING.includes(trouble) ? PREPARING : WAITS[trouble];
  return {
    ...backoff,
    refusals: before + 1,
    refusedAction: action,
    refusedFor: trouble,
    notBefore: Math.max(backoff.notBefore, now + doubled(first, longest, before)),
    reason,
  };
}

/** The backoff after `count` instances were launched. */
export function afterLaunch(backoff: Backoff, count: number, now: number): Backoff {
  const { reason: _, ...rest } = backoff;
  const launches = [...backoff.launches.filter(at => at > now - HOUR), ...Array<number>(count).fill(now)];
  const single = backoff.failedBoots >= FAILED_BOOTS_TOLERATED;
  return single
    ? { ...backoff, refusals: 0, launches, notBefore: now + singleAttemptWait(backoff.failedBoots) }
    : { ...rest, refusals: 0, launches };
}

/** The backoff with a launch of an earlier process, which counts into the same hour. */
export function withEarlierLaunch(backoff: Backoff, at: number, now: number): Backoff {
  if (at <= now - HOUR) return backoff;
  return { ...backoff, launches: [...backoff.launches, Math.min(at, now)].toSorted((a, b) => a - b) };
}

/** The backoff after a slave did not become ready within `boot_timeout`, or died before it had served for as long. */
export function afterFailedBoot(backoff: Backoff, reason: string, now: number): Backoff {
  const failedBoots = backoff.failedBoots + 1;
  if (failedBoots < FAILED_BOOTS_TOLERATED) return { ...backoff, failedBoots };
  return {
    ...backoff,
    failedBoots,
    notBefore: Math.max(backoff.notBefore, now + singleAttemptWait(failedBoots)),
    reason: `${failedBoots} slaves in a row did not become ready; last: ${reason}`,
  };
}

/** The backoff after a slave has become ready: launches go on, and one that dies soon after stops them again. */
export function afterReady(backoff: Backoff, now: number): Backoff {
  return { ...goingOn(backoff), ready: [...backoff.ready.filter(at => at > now - HOUR), now] };
}

/** The backoff after a slave has proved itself: it has served for as long as `boot_timeout`. */
export function afterGoodBoot(backoff: Backoff): Backoff {
  return backoff.failedBoots === 0 ? backoff : { ...goingOn(backoff), failedBoots: 0 };
}

function goingOn(backoff: Backoff): Backoff {
  if (backoff.failedBoots < FAILED_BOOTS_TOLERATED) return backoff;
  const { reason: _, ...rest } = backoff;
  return { ...rest, failedBoots: FAILED_BOOTS_TOLERATED - 1, notBefore: 0 };
}

/** 10, 20, 40 minutes … up to 6 hours between single attempts. */
function singleAttemptWait(failedBoots: number): number {
  return doubled(10 * MINUTE, 6 * HOUR, Math.max(0, failedBoots - FAILED_BOOTS_TOLERATED));
}

/**
 * How many of `wanted` instances may be launched now. However launches fail, no more than four times the table's
 * largest `max` (at least 12) are launched in an hour; one that becomes ready does not count, so that a load that
 * always goes up and down gets its slaves, but never more than three times as many in all.
 *
 * @returns the number, and if it is 0 the moment (monotonic ms) to ask again
 */
export function permitted(
  backoff: Backoff,
  wanted: number,
  ceiling: number,
  now: number,
): { readonly count: number; readonly notBefore: number } {
  if (wanted <= 0) return { count: 0, notBefore: 0 };
  if (now < backoff.notBefore) return { count: 0, notBefore: backoff.notBefore };
  const lately = backoff.launches.filter(at => at > now - HOUR);
  const fruitless = Math.max(FRUITLESS_AT_LEAST, FRUITLESS * ceiling);
  const ready = backoff.ready.filter(at => at > now - HOUR).length;
  const left = Math.min(fruitless + ready, IN_ALL * fruitless) - lately.length;
  if (left <= 0) return { count: 0, notBefore: (lately[0] ?? now) + HOUR };
  const single = backoff.failedBoots >= FAILED_BOOTS_TOLERATED;
  return { count: Math.min(wanted, left, single ? 1 : wanted), notBefore: 0 };
}
