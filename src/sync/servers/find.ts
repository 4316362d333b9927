import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { findProcess, type RunningProcess } from '../../daemon/process.ts';

/** A database server whose files are to be copied. */
export type ServerProcess = RunningProcess & {
  readonly name: 'MariaDB' | 'MySQL' | 'PostgreSQL';
  /** The directory that it works in: the one of its data. */
  readonly dataDirectory: string;
};

const NAMES: Readonly<Record<string, ServerProcess['name']>> = {
  mariadbd: 'MariaDB',
  mysqld: 'MySQL',
  postgres: 'PostgreSQL',
  postmaster: 'PostgreSQL',
};

/**
 * The database servers that work in one of these directories. Both kinds change into their data directory, and a directory
 * is told by its device and inode, so that neither links nor another mount namespace hide a server.
 */
export async function findServers(directories: readonly string[]): Promise<readonly ServerProcess[]> {
  const wanted = new Map<string, string>();
  for (const directory of directories) {
    const key = await identityOf(directory);
    if (key !== undefined) wanted.set(key, directory);
  }
  const servers: ServerProcess[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = NAMES[(await readFile(`/proc/${entry}/comm`, 'utf8').catch(() => '')).trim()];
    if (name === undefined) continue;
    const dataDirectory = wanted.get((await identityOf(`/proc/${entry}/cwd`)) ?? '');
    const process = findProcess(Number(entry));
    if (dataDirectory !== undefined && process !== undefined)
      servers.push({ ...process, name, dataDirectory });
  }
  // Of the processes of one PostgreSQL all but the first are its children.
  return servers.filter(
    it => !servers.some(other => other.pid === parentOf(it.pid) && other.name === it.name),
  );
}

async function identityOf(directory: string): Promise<string | undefined> {
  const found = await stat(directory).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** The parent of a process; 0 when it is not known. */
export function parentOf(pid: number): number {
  const process = findProcess(pid);
  return process === undefined ? 0 : Number(statFields(pid)[1] ?? 0);
}

function statFields(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** The Unix sockets that a process listens on, by their paths. */
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

/** Whether somebody answers at a Unix socket. */
export async function answers(socketPath: string): Promise<boolean> {
  const socket = connect({ path: socketPath });
  try {
    return await new Promise(resolve => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

/** The program that a process runs. */
export async function executableOf(pid: number): Promise<string> {
  return path.normalize(await readlink(`/proc/${pid}/exe`).catch(() => ''));
}
