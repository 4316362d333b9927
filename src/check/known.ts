import { isEc2Error } from '../ec2/errors.ts';
import { isUserError } from '../errors.ts';
import { isNotChecked } from './finding.ts';

/** A fact, or undefined; the topic that checks the fact itself reports why it is missing. */
export async function known<T>(fact: Promise<T>): Promise<T | undefined> {
  try {
    return await fact;
  } catch (error) {
    if (isNotChecked(error) || isEc2Error(error) || isUserError(error)) return undefined;
    throw error;
  }
}
