import type { Ec2 } from './api.ts';

/**
 * EC2 for who must change nothing, whatever happens.
 *
 * @throws {Error} for any other action than a `Describe…`: it is a bug that it was called, and it is not sent
 */
export function readingOnly(ec2: Ec2): Ec2 {
  return async (action, request, options) => {
    if (!action.startsWith('Describe')) throw new Error(`${action} was called, which changes something`);
    return await ec2(action, request, options);
  };
}
