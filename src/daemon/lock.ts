import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, readSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import { type FileLock, isFileLocked, lockFile } from '../os/flock.ts';
import { allProcesses, findProcess, openFilesOf, uidsOf } from '../os/process.ts';
import { unixSocketsSeenBy } from '../os/unix-sockets.ts';
import { lockDirectories, lockFileName, ownLockDirectory } from './lock-directory.ts';
import { isBalancer, PROGRAM } from './self.ts';

/** A name that at most one process of the machine (network namespace) holds. */
export type Lock = {
  /** Another user's process that listens on the name's socket, so that `status` of other users reaches it. */
  readonly squatter?: Holder;
  /** Releases the name. Open connections stay open. */
  release(): void;
};

/** The process that holds a name; its ids are unknown when it is another user's and we are not root. */
export type Holder = { readonly pid?: number; readonly uid?: number };

/**
 * Who holds a lock: `held` by a balancer that this user or root has started; `claimed` by a process that may be another
 * user's balancer or anything else, since everybody can listen at the socket; or nobody.
 */
export type LockState = { readonly state: 'free' | 'held' | 'claimed'; readonly holder?: Holder };

/** unix(7): `sun_path` has 108 bytes, the leading zero byte among them. */
const LONGEST_ADDRESS = 108;

/**
 * Takes the lock `name`, if no other process of this machine holds it. It is a listening socket in Linux's abstract
 * namespace: taking it is atomic, it leaves no file behind, and it is gone with the process, however that ends. Clients
 * of the holder connect to it. Such names have no owner, so if root has made a directory for this user's locks, a
 * locked file in it decides, and clients connect first to a socket beside it.
 *
 * @param onConnection what to do with a client; without it connections are closed
 * @returns undefined when it is held already
 */
export async function acquireLock(
  name: string,
  onConnection?: (socket: Socket) => void,
): Promise<Lock | undefined> {
  const directory = ownLockDirectory();
  const file = directory === undefined ? undefined : await lockFile(pathIn(directory, name, 'lock'));
  if (directory !== undefined && file === undefined) return undefined;
  const servers: Server[] = [];

  function release(): void {
    for (const server of servers) server.close();
    file?.release();
  }

  try {
    const abstract = await listen(lockAddress(name), onConnection);
    if (abstract !== undefined) servers.push(abstract);
    const found = abstract === undefined ? await lockState(name, file) : undefined;
    if (found?.state === 'held' || (found !== undefined && file === undefined)) {
      release();
      return undefined;
    }
    if (directory !== undefined) {
      const socket = pathIn(directory, name, 'sock');
      if (existsSync(socket)) unlinkSync(socket);
      const own = await listen(socket, onConnection);
      if (own !== undefined) servers.push(own);
    }
    return { ...(found !== undefined && { squatter: found.holder ?? {} }), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** @returns undefined when somebody listens there */
async function listen(address: string, onConnection?: (socket: Socket) => void): Promise<Server | undefined> {
  const server = createServer(socket => {
    // A client that disconnects is no error.
    socket.on('error', () => socket.destroy());
    if (onConnection === undefined) socket.destroy();
    else onConnection(socket);
  });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once('error', error => (systemCode(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
  const isFile = !address.startsWith('\0');
  server.listen({ path: address, ...(isFile && { readableAll: true, writableAll: true }) }, () =>
    resolve(true),
  );
  if (!(await promise)) return undefined;
  // After the start an error can only be one of accept(): too many open files, say. The lock is held all the same.
  server.on('error', () => {});
  // The lock lives as long as the process, not the other way round.
  server.unref();
  return server;
}

/**
 * Connects to the holder of a lock; first to one that root has started, which nobody else can imitate.
 *
 * @returns undefined when nobody holds it
 */
export async function connectToLock(name: string): Promise<Socket | undefined> {
  for (const directory of lockDirectories()) {
    const socket = await connectTo(pathIn(directory, name, 'sock')).catch(() => undefined);
    if (socket !== undefined) return socket;
  }
  return await connectTo(lockAddress(name));
}

async function connectTo(address: string): Promise<Socket | undefined> {
  const socket = connect({ path: address });
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>();
  socket.once('connect', () => resolve(socket));
  socket.once('error', error =>
    ['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '') ? resolve(undefined) : reject(error),
  );
  return await promise;
}

/**
 * Whether a process that this user or root started holds a lock; the claim of another user's process does not count.
 */
export async function isLockHeld(name: string): Promise<boolean> {
  return (await lockState(name)).state === 'held';
}

/**
 * Who holds a lock.
 *
 * @param own our own locked file of that name, which does not count
 */
export async function lockState(name: string, own?: FileLock): Promise<LockState> {
  for (const directory of lockDirectories()) {
    if (own !== undefined && directory === ownLockDirectory()) continue;
    const file = pathIn(directory, name, 'lock');
    const pid = await holderOfFile(file);
    if (pid !== undefined) return { state: 'held', holder: withUid(pid) };
  }
  if (!(await isListenedAt(lockAddress(name)))) return { state: 'free' };
  const pid = findListener(lockAddress(name));
  const holder = pid === undefined ? {} : withUid(pid);
  const isOurs = pid === process.pid || (holder.uid === process.geteuid?.() && holder.uid !== undefined);
  return { state: isOurs ? 'held' : 'claimed', holder };
}

/** The process that has locked that file. If we may not try the lock, the existence of the process decides. */
async function holderOfFile(file: string): Promise<number | undefined> {
  const pid = readPid(file);
  const isLocked = existsSync(file) && (await isFileLocked(file));
  if (isLocked) return pid ?? 0;
  // We may not read it: a socket beside it shows that somebody is there.
  if (pid === undefined && existsSync(file)) {
    const socket = await connectTo(file.replace(/lock$/, 'sock')).catch(() => undefined);
    socket?.destroy();
    return socket === undefined ? undefined : 0;
  }
  return undefined;
}

/** Reads only the beginning of a lock file, and waits for nothing. */
function readPid(file: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const text = Buffer.alloc(32);
    return Number(text.toString('latin1', 0, readSync(fd, text)));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function withUid(pid: number): Holder {
  const uid = uidsOf(pid)?.effective;
  return pid === 0 ? {} : { pid, ...(uid !== undefined && { uid }) };
}

async function isListenedAt(address: string): Promise<boolean> {
  try {
    const socket = await connectTo(address);
    socket?.destroy();
    return socket !== undefined;
  } catch (error) {
    // Its queue of connections is full, so some process listens.
    if (systemCode(error) === 'EAGAIN') return true;
    throw error;
  }
}

/** The process that listens on a socket; undefined when it is hidden from us. Balancers are examined first. */
function findListener(address: string): number | undefined {
  const shown = address.replace('\0', '@');
  const socket = unixSocketsSeenBy(process.pid).find(({ listens, path: at }) => listens && at === shown);
  if (socket === undefined) return undefined;
  const isHolder = (pid: number) =>
    [...(openFilesOf(pid)?.values() ?? [])].includes(`socket:[${socket.inode}]`);
  const all = [...allProcesses().keys()];
  return all.filter(isBalancer).find(isHolder) ?? all.find(isHolder);
}

/** A description of the holder, for a message. */
export function describeHolder({ pid, uid }: Holder): string {
  if (pid === undefined) return "another user's process";
  const name = findProcess(pid)?.name ?? 'unknown';
  return `process ${pid} (${name})${uid === undefined ? '' : ` of user id ${uid}`}`;
}

function pathIn(directory: string, name: string, ending: 'lock' | 'sock'): string {
  const address = lockFileName(name);
  const plain = /^[\w:.@-]+$/.test(address) && address.length < 40;
  const file = plain ? address : createHash('sha256').update(address).digest('hex').slice(0, 32);
  return path.join(directory, `${file}.${ending}`);
}

/** The socket's address. A name that is too long for one is replaced by its hash. */
export function lockAddress(name: string): string {
  const address = `\0${PROGRAM}:${name}`;
  if (Buffer.byteLength(address) <= LONGEST_ADDRESS) return address;
  return `\0${PROGRAM}#${createHash('sha256').update(name).digest('hex')}`;
}
