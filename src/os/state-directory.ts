import { chown, lstat, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { failure, systemCode } from '../errors.ts';
import { foreignPartOf } from './root-path.ts';
import { isStateFileName } from './state-file.ts';

/**
 * Makes the directory of the balancer's state files. As root, for the user that the balancer runs as: only if nobody
 * but root can change the directory above, and an existing directory only if it contains nothing but state files.
 *
 * @param account the user who will own it, if that is not ours
 * @throws {UserError} or the system's error, when it cannot be made or is somebody else's
 */
export async function makeStateDirectory(
  directory: string,
  account?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const above = path.dirname(directory);
  const isRoot = process.geteuid?.() === 0;
  const foreign = isRoot ? await foreignPartOf(above, 'content') : undefined;
  if (foreign !== undefined) throw failure(`users other than root can change ${foreign.path}`);
  await mkdir(above, { recursive: true, mode: 0o755 });
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(directory);
  if (!found.isDirectory()) throw failure(`${directory} is not a directory`);
  const uid = account?.uid ?? process.geteuid?.() ?? -1;
  if (found.uid === uid) return;
  if (!isRoot) throw failure(`${directory} belongs to another user`);
  const strange = (await readdir(directory)).find(name => !isStateFileName(name));
  if (strange !== undefined) {
    throw failure(
      `${directory} is not given to the balancer's user, because it holds other files (${strange})`,
    );
  }
  await chown(directory, uid, account?.gid ?? 0);
}
