import { chownSync, lstatSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../errors.ts';

/**
 * Where balancers that root has started keep their locks: a directory of root's, and in it one for each user that root
 * has a balancer run as. Nobody else can hold a lock there, so nobody can keep a balancer from starting.
 */
const LOCKS = '/run/gbrowse-aws-balancer-locks';

/**
 * Makes the directory for the locks of a user. As root only.
 *
 * @throws the system's error
 */
export function makeLockDirectory({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
  makeDirectory(LOCKS);
  const own = path.join(LOCKS, String(uid));
  makeDirectory(own);
  chownSync(own, uid, gid);
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** The directory for this process's own locks; undefined when root has made none for its user. */
export function ownLockDirectory(): string | undefined {
  const [uid, gid] = [process.geteuid?.() ?? -1, process.getegid?.() ?? -1];
  try {
    if (uid === 0) makeLockDirectory({ uid, gid });
  } catch {
    // A read-only /run: then there are only the sockets.
    return undefined;
  }
  return lockDirectories().find(it => it === path.join(LOCKS, String(uid)));
}

/** The directories that root has made for locks, each of one user's alone. */
export function lockDirectories(): readonly string[] {
  try {
    const top = lstatSync(LOCKS);
    if (!top.isDirectory() || top.uid !== 0 || (top.mode & 0o022) !== 0) return [];
    return readdirSync(LOCKS)
      .map(name => path.join(LOCKS, name))
      .filter(it => {
        const { uid, mode } = lstatSync(it);
        return path.basename(it) === String(uid) && (mode & 0o022) === 0;
      });
  } catch {
    return [];
  }
}

/** A file for a lock's name, the same for all processes of one network namespace, as the sockets are. */
export function lockFileName(name: string): string {
  const [, namespace = '0'] = /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/net')) ?? [];
  return `${name}-${namespace}`;
}
