import { readdir, realpath, stat } from 'node:fs/promises';
import { failure, systemCode, usageError } from '../../errors.ts';
import { foreignPartOf } from '../../os/root-path.ts';
import { findClusters } from '../servers/postgres.ts';
import type { Wanted } from './trees.ts';

/**
 * Files that a data directory of MySQL or MariaDB has, of any version and engine, besides the directory `mysql` of the
 * server's own tables.
 */
const MYSQL_FILES = ['ibdata1', 'aria_log_control', 'mysql.ibd', 'ib_logfile0', '#innodb_redo', 'undo001'];

/**
 * Makes sure that a directory is what it is named for: data of a database server, and nobody besides root and its owner
 * decides which directory it is. A directory of databases may be any directory.
 *
 * @throws {UserError}
 */
export async function assertDataDirectory({ kind, directory, from }: Wanted): Promise<void> {
  if (kind === 'databases') return;
  const names = await readdir(directory).catch((error: unknown) => {
    // The message for a directory that is not there or cannot be entered comes later, for all kinds alike.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  });
  if (names === undefined) return;
  const clusters = kind === 'mysql' ? (isMysql(names) ? [directory] : []) : await findClusters(directory);
  if (clusters.length === 0) {
    throw usageError(
      kind === 'mysql'
        ? `${from}: ${directory} is not a data directory of MySQL or MariaDB (such a directory contains "mysql" and "ibdata1"); name the server's datadir, such as /var/lib/mysql`
        : `${from}: ${directory} is not a data directory of PostgreSQL and contains none (such a directory contains PG_VERSION); name it, or the directory of all clusters, such as /var/lib/postgresql`,
    );
  }
  if (process.getuid?.() !== 0) return;
  for (const cluster of clusters) {
    const { uid } = await stat(cluster);
    const part = (await foreignPartOf(await realpath(cluster), 'place', [uid]))?.path;
    if (part === undefined) continue;
    throw failure(
      `${from}: users other than root and the owner of ${cluster} (user id ${uid}) can change ${part}, and so have root act on another directory; run "chmod go-w ${part}" if it belongs to root or that user, else name a directory elsewhere`,
    );
  }
}

function isMysql(names: readonly string[]): boolean {
  return names.includes('mysql') && MYSQL_FILES.some(it => names.includes(it));
}
