import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2, Ec2Action, Ec2Actions } from '../ec2/api.ts';
import { isEc2Error, type Trouble, troubleOf } from '../ec2/errors.ts';

/** What passes by itself: EC2 is busy, or the way to it is broken. */
const PASSING: readonly Trouble[] = ['throttling', 'service', 'unreachable'];
const FIRST_WAIT = SECOND;
const LONGEST_WAIT = 15 * SECOND;
/** How long one call is tried: a network that is gone for longer than this is not about to come back. */
const PATIENCE = 10 * MINUTE;

/**
 * EC2 for somebody who has time: what passes by itself is waited for. A call that creates something must have a
 * ClientToken, or be one that can be looked for.
 */
export function patient(ec2: Ec2, clock: Clock, signal?: AbortSignal, patience: number = PATIENCE): Ec2 {
  return async function call<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
  ): Promise<Ec2Actions[A][1]> {
    const until = clock.monotonic() + patience;
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      signal?.throwIfAborted();
      try {
        return await ec2(action, request, signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (!isEc2Error(error) || !PASSING.includes(troubleOf(error))) throw error;
        if (clock.monotonic() + wait > until) throw error;
        await clock.sleep(wait, signal);
      }
    }
  };
}
