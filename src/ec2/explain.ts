import { isUserError, messageOf } from '../errors.ts';
import { type Ec2Error, isEc2Error, troubleOf } from './errors.ts';

/** An error for the log, with what to do about it where that is known; a bug with its stack. */
export function explain(error: unknown): string {
  if (!isEc2Error(error)) {
    return isUserError(error) || !(error instanceof Error)
      ? messageOf(error)
      : (error.stack ?? messageOf(error));
  }
  return `${error.action}: ${error.code}: ${error.message}${remedy(error)}`;
}

function remedy(error: Ec2Error): string {
  switch (troubleOf(error)) {
    case 'permission':
      return ` (allow ec2:${error.action} to this user or role)`;
    case 'credentials':
      return ' (check the access key and secret key, or the instance role, and the clock of this machine)';
    default:
      return '';
  }
}
