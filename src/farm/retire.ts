import { readdirSync, readFileSync, readlinkSync, renameSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { type Process, processOf, seesFile } from './processes.ts';

/** Requests are short: what takes long is drawn by children of the process. */
const PATIENCE = 30 * SECOND;
const BETWEEN_LOOKS = 10;

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
function isAtWork(pid: number, entrance: string): boolean {
  const connections = unixSockets(pid).filter(it => !it.listens && it.path === entrance);
  const open = openFiles(pid);
  return connections.some(({ inode }) => inode === '0' || open.includes(`socket:[${inode}]`));
}

/**
 * Ends a process unless it is at work. Its socket is put aside while that is looked at, so that no request comes in
 * between; Apache starts another process when it does not find it. All in one step: an Apache that looks for the socket
 * while the process lives ends it in its own way, with SIGTERM (see below).
 *
 * @returns whether it has ended
 */
function endUnlessAtWork(pid: number, entrance: string): boolean {
  if (isAtWork(pid, entrance)) return false;
  const aside = `${entrance}.aside`;
  renameSync(entrance, aside);
  if (isAtWork(pid, entrance)) {
    renameSync(aside, entrance);
    return false;
  }
  try {
    // Not SIGTERM: GBrowse would end its whole process group, other requests and Apache's own processes with it.
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    renameSync(aside, entrance);
    throw error;
  }
  unlinkSync(aside);
  return true;
}

/** @returns whether it has ended; false where its socket is out of reach */
async function retireOne(one: Process): Promise<boolean> {
  const { pid } = one;
  const entrance = entranceOf(pid);
  if (entrance?.startsWith('/') !== true || !(await seesFile(pid, entrance))) return false;
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    if ((await processOf(pid))?.startTicks !== one.startTicks) return true;
    if (endUnlessAtWork(pid, entrance)) return true;
    if (performance.now() > deadline) {
      throw failure(
        `GBrowse (pid ${pid}) has worked on requests for ${PATIENCE / SECOND} s, so it has not seen the new farm yet`,
      );
    }
    await sleep(BETWEEN_LOOKS);
  }
}

/**
 * Ends GBrowses that run as FastCGI, each after the request that it works on. Apache starts new ones as it needs them,
 * and those read the farm file anew. Nobody's request is cut off: a graceful restart of Apache would do that.
 *
 * @param processes of an Apache that is known to be ours; what they have started to draw with is left alone
 * @returns false where one cannot be ended this way: its socket, or the process, is out of reach
 * @throws {UserError} when one goes on working
 */
export async function retire(processes: readonly Process[]): Promise<boolean> {
  const done = await Promise.allSettled(processes.map(retireOne));
  let all = true;
  for (const it of done) {
    if (it.status === 'fulfilled') all &&= it.value;
    else if (OUT_OF_REACH.has(systemCode(it.reason) ?? '')) all = false;
    // It may have ended by itself.
    else if (!GONE.has(systemCode(it.reason) ?? '')) throw it.reason;
  }
  return all;
}

const GONE = new Set(['ENOENT', 'ESRCH']);
const OUT_OF_REACH = new Set(['EACCES', 'EPERM', 'EROFS']);
