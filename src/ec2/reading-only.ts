import { type Ec2, isRead } from './api.ts';

/**
 * EC2 for callers that must not change anything.
 *
 * @throws {Error} for any action but a read (`Describe…`, `Get…`): calling it is a bug, and it is not sent
 */
export function readingOnly(ec2: Ec2): Ec2 {
  return async (action, request, options) => {
    if (!isRead(action)) throw new Error(`${action} was called, which changes something`);
    return await ec2(action, request, options);
  };
}
