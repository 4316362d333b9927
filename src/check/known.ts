import { isEc2Error } from '../ec2/errors.ts';
import { isUserError } from '../errors.ts';
import { isNotLookedAt } from './finding.ts';

/** A fact where it is known; what is wrong with the thing itself is said by the topic that looks at it. */
export async function known<T>(fact: Promise<T>): Promise<T | undefined> {
  try {
    return await fact;
  } catch (error) {
    if (isNotLookedAt(error) || isEc2Error(error) || isUserError(error)) return undefined;
    throw error;
  }
}
