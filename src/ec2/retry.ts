import { type Clock, MINUTE, SECOND } from '../clock.ts';
import { type Ec2, type Ec2Action, type Ec2Actions, isRead } from './api.ts';
import { isPassing } from './errors.ts';

type Timing = Pick<Clock, 'monotonic' | 'sleep'>;

const FIRST_WAIT = SECOND;
const LONGEST_WAIT = 15 * SECOND;
/** How long one call is repeated: a network that is gone for longer will not come back soon. */
const PATIENCE = 10 * MINUTE;

/**
 * Repeats a call while it fails in a way that passes by itself. A failed call may have taken effect, so it must be safe
 * to make twice.
 *
 * @param options.patience ms; after that the last error is thrown
 */
export async function patiently<T>(
  clock: Timing,
  call: () => Promise<T>,
  {
    patience = PATIENCE,
    signal,
  }: { readonly patience?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const until = clock.monotonic() + patience;
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error) || clock.monotonic() + wait > until) throw error;
      await clock.sleep(wait, signal);
    }
  }
}

/**
 * EC2 for a command that has time: it repeats calls whose errors pass by themselves. A call that creates something must
 * have a ClientToken, or create something that can be found again.
 */
export function patient(ec2: Ec2, clock: Timing, signal?: AbortSignal, patience: number = PATIENCE): Ec2 {
  return async function call<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
  ): Promise<Ec2Actions[A][1]> {
    const once = () => ec2(action, request, signal === undefined ? {} : { signal });
    return await patiently(clock, once, { patience, signal });
  };
}

/** How often a read is tried within its call, and how long it waits before the second time, on average. */
const READ_TRIES = 3;
const READ_WAIT = SECOND / 5;
/** A read that takes longer than this is not repeated at once: the caller asks again in its next round. */
const READ_PATIENCE = 5 * SECOND;

/**
 * EC2 whose reads (`Describe…`, `Get…`) are repeated at once when their errors pass by themselves; changes are tried once. The
 * waits are random, so that masters that failed together do not come back together (AWS, "Exponential backoff and
 * jitter").
 *
 * @param options.random 0 to 1
 * @param options.isHurried whether each call has one attempt from now on, because somebody waits for the end of the program
 */
export function retryReads(
  ec2: Ec2,
  clock: Timing,
  {
    random = Math.random,
    isHurried = () => false,
  }: { readonly random?: () => number; readonly isHurried?: () => boolean } = {},
): Ec2 {
  return async function call<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Ec2Actions[A][1]> {
    const until = clock.monotonic() + READ_PATIENCE;
    let wait = READ_WAIT;
    for (let tries = isRead(action) ? READ_TRIES : 1; ; tries--) {
      try {
        return await ec2(action, request, options);
      } catch (error) {
        if (tries === 1 || isHurried() || !isPassing(error) || clock.monotonic() > until) throw error;
        await clock.sleep(wait * (0.5 + random()), options?.signal);
        if (isHurried()) throw error;
        wait *= 3;
      }
    }
  };
}
