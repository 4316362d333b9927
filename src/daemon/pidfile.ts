import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { lstat, open, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { failure, isUserError, messageOf, systemCode, type UserError, usageError } from '../errors.ts';
import { type Owner, ownerFor, removeFileAs, replaceFileAs } from '../os/owner-rights.ts';
import { acquireLock } from './lock.ts';
import { PROGRAM } from './self.ts';

/** This process's own pidfile. */
export type Pidfile = {
  /** Absolute. */
  readonly path: string;
  /** Removes the file if it is still ours, or empties it if we may not remove it any more, and closes it. */
  remove(): Promise<void>;
};

/** The content of a pidfile: a process id, garbage, or `absent` for no file or an empty one. */
type PidfileContent = number | 'garbage' | 'absent';

/** Ten digits and some white space; more is no pidfile. */
const LONGEST_CONTENT = 32;

/**
 * Writes our process id into a pidfile and keeps the path locked for as long as this process lives. The lock, not the
 * file, says whether a balancer is running with it: whatever a killed one left (a dead process id, one that another
 * program or balancer has now, garbage) is overwritten, and one of two that start at the same moment is refused. In
 * a directory of another user's, root does it with that user's rights.
 *
 * @throws {UserError} when another balancer has it, when it is a directory, when it cannot be written
 */
export async function claimPidfile(file: string): Promise<Pidfile> {
  if (await isDirectory(file)) {
    throw usageError(
      `--pidfile ${file} is a directory; name a file in it, such as ${path.join(file, `${PROGRAM}.pid`)}`,
    );
  }
  const lock = await acquireLock(await pidfileLock(file));
  if (lock === undefined) {
    const holder = await readPidfile(file);
    throw failure(
      `another ${PROGRAM}${typeof holder === 'number' ? ` (process ${holder})` : ''} is running with the pidfile ${file}; ` +
        `end it with "${PROGRAM} --kill --pidfile ${file}", or give this one another pidfile`,
    );
  }
  const absolute = path.resolve(file);
  try {
    const owner = await ownerFor(absolute);
    // A link at the path is replaced, not followed.
    await replaceFileAs(owner, absolute, `${process.pid}\n`);
    const fd = openWritten(absolute, owner);
    return {
      path: absolute,
      async remove() {
        await removeOwn(absolute, owner).catch(() => ftruncateSync(fd));
        closeSync(fd);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw cannot('write', file, error);
  }
}

/** Opens the pidfile that was just written. In a directory of another user's, another file of his may be there by now. */
function openWritten(file: string, owner: Owner | undefined): number {
  const fd = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = fstatSync(fd);
  if (owner === undefined || (found.isFile() && found.nlink === 1 && found.uid === owner.uid)) return fd;
  closeSync(fd);
  throw failure(`${file} was replaced by another file while it was written`);
}

async function removeOwn(file: string, owner: Owner | undefined): Promise<void> {
  if (owner === undefined || process.geteuid?.() !== 0) return await removePidfile(file, process.pid);
  await removeFileAs(owner, file, `${process.pid}`);
}

/**
 * Removes a pidfile if it holds this process id.
 *
 * @throws {UserError} when it cannot be removed
 */
export async function removePidfile(file: string, pid: number): Promise<void> {
  if ((await readPidfile(file)) !== pid) return;
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw cannot('remove', file, error);
  }
}

/** Removes a pidfile that a balancer has emptied because it may not remove it. Never throws. */
export async function removeEmptyPidfile(file: string): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isFile() && found.size === 0) await rm(file, { force: true }).catch(() => {});
}

/**
 * What a pidfile says.
 *
 * @throws {UserError} when it cannot be read
 */
export async function readPidfile(file: string): Promise<PidfileContent> {
  try {
    // O_NONBLOCK: a pipe in its place must not make us wait for a writer.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_CONTENT), 0, LONGEST_CONTENT);
      // What a balancer leaves when it may not remove the file.
      if (bytesRead === 0) return 'absent';
      const [, digits] = /^\s*(\d{1,10})\s*$/.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
      const pid = Number(digits);
      return pid > 0 ? pid : 'garbage';
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'absent';
    throw cannot('read', file, error);
  }
}

/**
 * The name of the lock that the owner of a pidfile holds: the same whichever way the path is written.
 *
 * @throws {UserError} when its directory does not exist
 */
export async function pidfileLock(file: string): Promise<string> {
  const absolute = path.resolve(file);
  try {
    return `pidfile:${path.join(await realpath(path.dirname(absolute)), path.basename(absolute))}`;
  } catch (error) {
    throw cannot('find', file, error);
  }
}

async function isDirectory(file: string): Promise<boolean> {
  if (file.endsWith('/')) return true;
  const found = await stat(file).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

function cannot(verb: string, file: string, error: unknown): UserError {
  const code = systemCode(error);
  const reason = REASONS.get(code ?? '') ?? (isUserError(error) ? messageOf(error) : code) ?? 'unknown error';
  return failure(`cannot ${verb} the pidfile ${file}: ${reason}`, { cause: error });
}

const REASONS = new Map([
  ['ENOENT', 'its directory does not exist; create it, or name another file with --pidfile'],
  ['ENOTDIR', 'its directory does not exist; create it, or name another file with --pidfile'],
  ['EACCES', 'permission denied; start as root, or name a file in a directory that you may write to'],
  ['EPERM', 'permission denied; start as root, or name a file in a directory that you may write to'],
  ['EROFS', 'its file system is read-only; name another file with --pidfile'],
  ['ENOSPC', 'the disk is full; make room, or name a file on another disk with --pidfile'],
  ['EISDIR', 'it is a directory; name a file in it'],
]);
