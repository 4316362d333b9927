import { open } from 'node:fs/promises';
import { failure, systemCode } from '../errors.ts';
import { foreignPartOf } from '../os/root-path.ts';

/**
 * Makes sure, as root, that the log file is there for the balancer's user to open.
 *
 * @throws {UserError} when it cannot be created
 */
export async function createLogFile(
  file: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  // In a directory of others root could follow a planted link, so there the balancer creates the file itself.
  if ((await foreignPartOf(file, 'place')) !== undefined) return;
  try {
    // Exclusively: a file that exists already is never given to the user.
    const handle = await open(file, 'ax', 0o640);
    await handle.chown(uid, gid).finally(() => handle.close());
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    throw failure(`cannot create the log file ${file}: ${systemCode(error)}`, { cause: error });
  }
}
