import { createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { systemCode } from '../errors.ts';
import { PROGRAM } from './self.ts';

/** A name that one process of the machine holds. */
export type Lock = {
  /** Others can have it from now on. Connections that are open stay so. */
  release(): void;
};

/** unix(7): `sun_path` has 108 bytes, the leading zero byte among them. */
const LONGEST_ADDRESS = 108;

/**
 * Takes the lock `name`, if no other process of this machine (network namespace) holds it. It is a listening socket in
 * Linux's abstract namespace: taking it is atomic, it leaves no file behind, and it is gone with the process, however
 * that ends. Whoever wants to talk to the holder connects to it.
 *
 * @param onConnection what to do with somebody who connects; without it they are hung up on
 * @returns undefined when it is held already
 */
export async function acquireLock(
  name: string,
  onConnection?: (socket: Socket) => void,
): Promise<Lock | undefined> {
  const server = createServer(socket => {
    // A peer that goes away is its own affair.
    socket.on('error', () => socket.destroy());
    if (onConnection === undefined) socket.destroy();
    else onConnection(socket);
  });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once('error', error => (systemCode(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
  server.listen({ path: lockAddress(name) }, () => resolve(true));
  if (!(await promise)) return undefined;
  // After the start an error can only be one of accept(): too many open files, say. The lock is held all the same.
  server.on('error', () => {});
  // The lock lives as long as the process, not the other way round.
  server.unref();
  return { release: () => void server.close() };
}

/**
 * Connects to the holder of a lock.
 *
 * @returns undefined when nobody holds it
 */
export async function connectToLock(name: string): Promise<Socket | undefined> {
  const socket = connect({ path: lockAddress(name) });
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>();
  socket.once('connect', () => resolve(socket));
  socket.once('error', error => (systemCode(error) === 'ECONNREFUSED' ? resolve(undefined) : reject(error)));
  return await promise;
}

/** Whether some process holds a lock. */
export async function isLockHeld(name: string): Promise<boolean> {
  try {
    const socket = await connectToLock(name);
    socket?.destroy();
    return socket !== undefined;
  } catch (error) {
    // Its queue of callers is full: then there is somebody whom they call.
    if (systemCode(error) === 'EAGAIN') return true;
    throw error;
  }
}

/** The socket's address. A name that is too long for one is replaced by its hash. */
export function lockAddress(name: string): string {
  const address = `\0${PROGRAM}:${name}`;
  if (Buffer.byteLength(address) <= LONGEST_ADDRESS) return address;
  return `\0${PROGRAM}#${createHash('sha256').update(name).digest('hex')}`;
}
