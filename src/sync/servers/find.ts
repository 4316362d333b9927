import { statSync } from 'node:fs';
import type { Rights } from '../../os/command.ts';
import { allProcesses, belongsTo, openFilesOf, type RunningProcess, realIdsOf } from '../../os/process.ts';
import { unixSocketsSeenBy } from '../../os/unix-sockets.ts';

/** A database server whose files are to be copied. */
export type ServerProcess = RunningProcess & {
  readonly product: 'MariaDB' | 'MySQL' | 'PostgreSQL';
  /** Its working directory, which is that of its data. */
  readonly dataDirectory: string;
  /** The rights that it has, which are those of the directory's owner. */
  readonly rights: Rights;
};

/** A process with a server's name and directory, which does not run as the directory's owner. */
type Stranger = { readonly pid: number; readonly dataDirectory: string };

const PRODUCTS: Readonly<Record<string, ServerProcess['product']>> = {
  mariadbd: 'MariaDB',
  mysqld: 'MySQL',
  postgres: 'PostgreSQL',
  postmaster: 'PostgreSQL',
};

/**
 * The database servers that work in one of these directories. Both kinds change into their data directory, and a
 * directory is identified by its device and inode, so that neither links nor another mount namespace hide a server.
 *
 * Anybody may give a process such a name. It counts only when its real, effective and saved user is the directory's
 * owner: so nothing that is done to it can give that user more rights.
 *
 * @param onStranger called for the others
 */
export function findServers(
  directories: readonly string[],
  onStranger: (stranger: Stranger) => void = () => {},
): readonly ServerProcess[] {
  const wanted = new Map<string, { readonly directory: string; readonly owner: number }>();
  for (const directory of directories) {
    const found = identified(directory);
    if (found !== undefined) wanted.set(found.id, { directory, owner: found.owner });
  }
  const servers: ServerProcess[] = [];
  for (const process of allProcesses().values()) {
    const product = PRODUCTS[process.name];
    if (product === undefined) continue;
    const { pid } = process;
    const data = wanted.get(identified(`/proc/${pid}/cwd`)?.id ?? '');
    const rights = realIdsOf(pid);
    if (data === undefined || rights === undefined) continue;
    if (!belongsTo(pid, data.owner)) onStranger({ pid, dataDirectory: data.directory });
    else servers.push({ ...process, product, dataDirectory: data.directory, rights });
  }
  // Of the processes of one PostgreSQL all but the first are its children.
  return servers.filter(
    it => !servers.some(other => other.pid === it.parent && other.product === it.product),
  );
}

function identified(directory: string): { readonly id: string; readonly owner: number } | undefined {
  try {
    const { dev, ino, uid } = statSync(directory);
    return { id: `${dev}:${ino}`, owner: uid };
  } catch {
    // Not there, or a process that has ended.
    return undefined;
  }
}

/** The Unix sockets that a process listens on, by the paths that it gave them: names, which nobody opens. */
export function listeningSockets(pid: number): readonly string[] {
  const open = new Set(openFilesOf(pid)?.values());
  return unixSocketsSeenBy(pid)
    .filter(it => it.listens && it.path.startsWith('/') && open.has(`socket:[${it.inode}]`))
    .map(it => it.path);
}
