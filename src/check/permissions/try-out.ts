import type { Ec2, Ec2Action } from '../../ec2/api.ts';
import { isDenied, isDryRun, isDuplicate, isEc2Error, isUnreachable } from '../../ec2/errors.ts';

/** One action with plausible parameters, and `DryRun`. */
export type Probe = {
  readonly action: Ec2Action;
  call(ec2: Ec2): Promise<unknown>;
  /**
   * Types of resource that are used in place of those that will carry the master's tag: a refusal for a substitute says
   * nothing about those.
   */
  readonly standIns?: readonly string[];
};

/** `unsure`: refused for a substitute resource. `unclear`: EC2 gave another answer, which is `reason`. */
export type Answer = {
  readonly action: Ec2Action;
  readonly answer: 'allowed' | 'denied' | 'unsure' | 'unclear';
  readonly reason?: string;
};

/**
 * Tries an action out. EC2 says DryRunOperation where the call would have been allowed, and UnauthorizedOperation where
 * not (EC2 API Reference, "DryRun").
 *
 * @throws {Ec2Error} when there is no answer at all
 */
export async function tryOut(ec2: Ec2, { action, call, standIns = [] }: Probe): Promise<Answer> {
  try {
    await call(ec2);
  } catch (error) {
    if (!isEc2Error(error) || isUnreachable(error)) throw error;
    // EC2 reports a duplicate name only to those who may create one.
    if (isDryRun(error) || isDuplicate(error)) return { action, answer: 'allowed' };
    if (!isDenied(error)) return { action, answer: 'unclear', reason: `${error.message} (${error.code})` };
    const refused = refusedResource(error.message);
    if (standIns.length > 0 && (refused === undefined || standIns.includes(refused)))
      return { action, answer: 'unsure' };
    const reason = explicitDeny(error.message);
    return { action, answer: 'denied', ...(reason !== undefined && { reason }) };
  }
  // A peer that does not know DryRun has executed the call, which can only have been a harmless `Describe…`.
  return { action, answer: 'allowed' };
}

/** The type of resource that EC2's message names: `… on resource: arn:aws:ec2:us-west-2:1234:launch-template/lt-1 …`. */
export function refusedResource(message: string): string | undefined {
  const [, type] = /on resource: arn:[\w-]*:ec2:[\w-]*:\d*:([\w-]+)\//.exec(message) ?? [];
  return type;
}

/** A denial that no policy of the user can lift: of the organization, of a permissions boundary. */
export function explicitDeny(message: string): string | undefined {
  const [, policy] = /with an explicit deny in an? ([\w -]*policy|permissions boundary)/.exec(message) ?? [];
  return policy === undefined ? undefined : `explicitly, in a ${policy}`;
}
