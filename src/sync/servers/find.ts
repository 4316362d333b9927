import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import type { Rights } from '../../staging/command.ts';
import { findMark, nameOf, ownerOf, type ProcessMark } from './proc.ts';

/** A database server whose files are to be copied. */
export type ServerProcess = ProcessMark & {
  readonly name: 'MariaDB' | 'MySQL' | 'PostgreSQL';
  /** The directory that it works in: the one of its data. */
  readonly dataDirectory: string;
  /** The rights that it has, which are those of the directory's owner. */
  readonly rights: Rights;
  readonly parent: number;
};

/** A process with a server's name and directory, which does not run as the directory's owner. */
export type Stranger = { readonly pid: number; readonly dataDirectory: string };

const NAMES: Readonly<Record<string, ServerProcess['name']>> = {
  mariadbd: 'MariaDB',
  mysqld: 'MySQL',
  postgres: 'PostgreSQL',
  postmaster: 'PostgreSQL',
};

/**
 * The database servers that work in one of these directories. Both kinds change into their data directory, and a directory
 * is identified by its device and inode, so that neither links nor another mount namespace hide a server.
 *
 * Anybody may give a process such a name. It counts only when its real, effective and saved user is the directory's owner:
 * nothing that is done to it can then give that user more rights.
 *
 * @param onStranger is told of the others
 */
export async function findServers(
  directories: readonly string[],
  onStranger: (stranger: Stranger) => void = () => {},
): Promise<readonly ServerProcess[]> {
  const wanted = new Map<string, { readonly directory: string; readonly owner: number }>();
  for (const directory of directories) {
    const found = await stat(directory).catch(() => undefined);
    if (found !== undefined) wanted.set(`${found.dev}:${found.ino}`, { directory, owner: found.uid });
  }
  const servers: ServerProcess[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    const name = Number.isInteger(pid) ? NAMES[await nameOf(pid)] : undefined;
    if (name === undefined) continue;
    const works = await stat(`/proc/${pid}/cwd`).catch(() => undefined);
    const data = works === undefined ? undefined : wanted.get(`${works.dev}:${works.ino}`);
    const [mark, owner] = [await findMark(pid), await ownerOf(pid)];
    if (data === undefined || mark === undefined || owner === undefined) continue;
    const { directory: dataDirectory } = data;
    if (owner.uids.length !== 3 || owner.uids.some(uid => uid !== data.owner)) {
      onStranger({ pid, dataDirectory });
    } else servers.push({ ...mark, name, dataDirectory, rights: owner.rights });
  }
  // Of the processes of one PostgreSQL all but the first are its children.
  return servers.filter(it => !servers.some(other => other.pid === it.parent && other.name === it.name));
}

/** The Unix sockets that a process listens on, by the paths that it gave them: names, which nobody opens. */
export async function listeningSockets(pid: number): Promise<readonly string[]> {
  const table = await readFile(`/proc/${pid}/net/unix`, 'utf8').catch(() => '');
  const listening = new Map<string, string>();
  for (const line of table.split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path; 00010000 is __SO_ACCEPTCON.
    const [, , , flags, , , inode = '', ...rest] = line.trim().split(/\s+/);
    if (flags === '00010000' && rest.length > 0) listening.set(inode, rest.join(' '));
  }
  const sockets: string[] = [];
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const socket = listening.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
    if (socket?.startsWith('/')) sockets.push(socket);
  }
  return sockets;
}
