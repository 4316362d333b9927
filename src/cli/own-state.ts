import { lstat } from 'node:fs/promises';
import { dropPrivileges } from '../daemon/privileges.ts';
import { failure, systemCode } from '../errors.ts';

/**
 * Makes this process one of the user that the balancer's state directory belongs to, so that root does nothing in a
 * directory of another user's.
 *
 * @param confFile what the advice names
 * @throws {UserError} when there is no such directory, or it is not ours to use
 */
export async function becomeStateOwner(directory: string, confFile: string): Promise<void> {
  const found = await lstat(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw failure(
      `the state directory ${directory} cannot be used: ${systemCode(error) ?? String(error)}; run this as root`,
      {
        cause: error,
      },
    );
  });
  if (found === undefined) {
    throw failure(
      `there is no state directory ${directory} yet; the balancer's first start with ${confFile} creates it ([MASTER] state_directory)`,
    );
  }
  if (!found.isDirectory()) throw failure(`${directory} ([MASTER] state_directory) is not a directory`);
  const { uid, gid } = found;
  if (uid === process.geteuid?.()) return;
  if (process.geteuid?.() !== 0) {
    throw failure(
      `${directory} belongs to the user that the balancer runs as (user id ${uid}): run this as root, or as that user`,
    );
  }
  dropPrivileges({ name: String(uid), uid, gid, groups: [gid], home: '/' });
}
