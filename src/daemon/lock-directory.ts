import { chownSync, lstatSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../errors.ts';

/**
 * Where balancers that root has started keep their locks: root's directory, with one for each user as whom such a
 * balancer runs. Nobody else can hold a lock there, so nobody else can prevent a balancer from starting.
 */
const LOCKS = '/run/gbrowse-aws-balancer/locks';

/** Makes the directory for the locks of a user, as root. If /run cannot be written, the sockets alone are the locks. */
export function makeLockDirectory({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    const own = path.join(LOCKS, String(uid));
    for (const directory of [path.dirname(LOCKS), LOCKS, own]) makeDirectory(directory);
    if (lockDirectories().includes(own)) return;
    if (isRoots(LOCKS) && isRoots(path.dirname(LOCKS))) chownSync(own, uid, gid);
  } catch {
    // A read-only /run, in a sandbox or a container.
  }
}

function isRoots(directory: string): boolean {
  const { uid, mode } = lstatSync(directory);
  return uid === 0 && (mode & 0o022) === 0;
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** The directory for this process's own locks; undefined when root has made none for this user. */
export function ownLockDirectory(): string | undefined {
  const [uid, gid] = [process.geteuid?.() ?? -1, process.getegid?.() ?? -1];
  if (uid === 0) makeLockDirectory({ uid, gid });
  return lockDirectories().find(it => it === path.join(LOCKS, String(uid)));
}

/** The directories that root has made for locks, each owned by one user. */
export function lockDirectories(): readonly string[] {
  try {
    if (!isRoots(LOCKS) || !isRoots(path.dirname(LOCKS))) return [];
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
