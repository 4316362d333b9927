import { usageError } from '../../errors.ts';
import { findDatabases } from '../../master/databases.ts';
import type { SyncOrder } from '../order.ts';
import { assertDataDirectory } from './data-directories.ts';
import type { Wanted } from './trees.ts';

/**
 * The directories that are to be copied: those of `[MASTER] databases`, else GBrowse's own, and those of the servers that
 * are named.
 *
 * @throws {UserError} when GBrowse's is not found, or a server's is not one of its data
 */
export async function wantedTrees({ config, mysql, postgres }: SyncOrder): Promise<readonly Wanted[]> {
  const found = await findDatabases();
  const databases = config.master.databases ?? (found === undefined ? [] : [found]);
  if (databases.length === 0) {
    throw usageError(
      `${config.file}: GBrowse's databases directory is in none of the usual places; name it in [MASTER] databases`,
    );
  }
  const wanted: Wanted[] = [
    ...databases.map(directory => ({
      kind: 'databases' as const,
      directory,
      from: `${config.file}: [MASTER] databases`,
    })),
    ...(mysql === undefined ? [] : [{ kind: 'mysql' as const, directory: mysql, from: '--mysql' }]),
    ...(postgres === undefined
      ? []
      : [{ kind: 'postgresql' as const, directory: postgres, from: '--postgres' }]),
  ];
  for (const it of wanted) await assertDataDirectory(it);
  return wanted;
}
