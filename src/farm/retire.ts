import { readdirSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { type Process, processOf, seesFile } from './processes.ts';

/** Requests are short: what takes long is drawn by children of the process. */
const PATIENCE = 30 * SECOND;
const BETWEEN_LOOKS = 20;

/** A socket that listens (unix(7), the flag __SO_ACCEPTCON in /proc/net/unix). */
const LISTENING = 0x10000;

type UnixSocket = { readonly listens: boolean; readonly inode: string; readonly path: string };

/** Those that have a path. Columns: "Num RefCount Protocol Flags Type St Inode Path". */
function unixSockets(pid: number): UnixSocket[] {
  return readFileSync(`/proc/${pid}/net/unix`, 'latin1')
    .split('\n')
    .flatMap(line => {
      const [, , , flags = '', , , inode = '', ...path] = line.trim().split(/ +/);
      const listens = (Number.parseInt(flags, 16) & LISTENING) !== 0;
      return path.length === 0 ? [] : [{ listens, inode, path: path.join(' ') }];
    });
}

/** What a process has open, as /proc says it: `socket:[INODE]`, a path. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(descriptor => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** The path of the socket that requests come in at. */
function entranceOf(pid: number): string | undefined {
  const stdin = readlinkSync(`/proc/${pid}/fd/0`);
  return unixSockets(pid).find(({ listens, inode }) => listens && stdin === `socket:[${inode}]`)?.path;
}

/** Whether a process works on a request itself, or has one waiting: a connection that nobody has taken has no inode. */
function isAtWork(pid: number, entrance: string | undefined): boolean {
  const connections = unixSockets(pid).filter(it => !it.listens && it.path === entrance);
  const open = openFiles(pid);
  return connections.some(({ inode }) => inode === '0' || open.includes(`socket:[${inode}]`));
}

/** From now on no request comes in: Apache finds that the socket is gone, and starts another process. */
async function shut(pid: number, entrance: string | undefined): Promise<void> {
  if (entrance?.startsWith('/') !== true || !(await seesFile(pid, entrance))) return;
  try {
    unlinkSync(entrance);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function retireOne(one: Process): Promise<void> {
  const { pid } = one;
  const entrance = entranceOf(pid);
  await shut(pid, entrance);
  const deadline = performance.now() + PATIENCE;
  while (isAtWork(pid, entrance)) {
    if (performance.now() > deadline) {
      throw failure(
        `GBrowse (pid ${pid}) has worked on a request for ${PATIENCE / SECOND} s, so it has not seen the new farm yet`,
      );
    }
    await sleep(BETWEEN_LOOKS);
  }
  if ((await processOf(pid))?.startTicks !== one.startTicks) return;
  // Not SIGTERM: GBrowse would end its whole process group, other requests and Apache's own processes with it.
  process.kill(pid, 'SIGKILL');
}

/**
 * Ends GBrowses that run as FastCGI, each after the request that it works on. Apache starts new ones as it needs them,
 * and those read the farm file anew. Nobody's request is cut off: a graceful restart of Apache would do that.
 *
 * @param processes of an Apache that is known to be ours; what they have started to draw with is left alone
 * @throws {UserError} when one cannot be ended
 */
export async function retire(processes: readonly Process[]): Promise<void> {
  const done = await Promise.allSettled(processes.map(retireOne));
  for (const [at, it] of done.entries()) {
    if (it.status === 'fulfilled') continue;
    const code = systemCode(it.reason);
    // It has ended by itself.
    if (code === 'ENOENT' || code === 'ESRCH') continue;
    if (code === undefined) throw it.reason;
    throw failure(`GBrowse (pid ${processes[at]?.pid}) cannot be ended to see the new farm: ${code}`, {
      cause: it.reason,
    });
  }
}
