import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode, usageError } from '../../errors.ts';

/** What kinds of data a slave needs. */
export type TreeKind = 'databases' | 'mysql' | 'postgresql';

/** A directory of the master that is copied, with all that is in it. */
export type Tree = {
  readonly kind: TreeKind;
  /** Its real path on the master: absolute, without symbolic links. */
  readonly source: string;
  /** The paths by which the master's programs know it; on a slave it must be found at each of them. */
  readonly paths: readonly string[];
};

/**
 * The places of the trees below the data root, as in the original; a further directory of databases in `databases-2`.
 */
export const PLACES: Readonly<Record<TreeKind, string>> = {
  databases: 'databases',
  mysql: 'lib/mysql',
  postgresql: 'lib/postgresql',
};

/** A directory that is to be copied, and where its name comes from: `--mysql`, `[MASTER] databases`. */
export type Wanted = { readonly kind: TreeKind; readonly directory: string; readonly from: string };

/**
 * The trees to copy.
 *
 * @throws {UserError} when one is no directory, or lies inside another
 */
export async function findTrees(wanted: readonly Wanted[]): Promise<readonly Tree[]> {
  const trees = await Promise.all(wanted.map(findTree));
  for (const [at, { source }] of trees.entries()) {
    const other = trees.find((it, index) => index !== at && isInside(source, it.source));
    if (other !== undefined) {
      throw usageError(
        `${source} lies inside ${other.source}, which is copied as well; name only one of them`,
      );
    }
  }
  return trees;
}

async function findTree({ kind, directory, from }: Wanted): Promise<Tree> {
  const given = path.resolve(directory);
  // The manifest has a line for each path, and a slave's shell reads it.
  if (/[\n\t]/.test(given)) throw usageError(`${from}: a path with a newline or a tab cannot be copied`);
  try {
    const found = await stat(given);
    if (!found.isDirectory()) throw usageError(`${from}: ${given} is not a directory`);
    if (given === '/') throw usageError(`${from}: the whole machine cannot be copied`);
    const source = await realpath(given);
    return { kind, source, paths: source === given ? [given] : [given, source] };
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw usageError(`${from}: there is no directory ${given}`);
      case 'EACCES':
        throw usageError(`${from}: ${given} cannot be entered without root's rights; run sync as root`);
      default:
        throw error;
    }
  }
}

/** Whether a path is the directory, or lies below it. */
export function isInside(inner: string, directory: string): boolean {
  return inner === directory || inner.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
