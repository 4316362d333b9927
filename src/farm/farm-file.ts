import { constants, type Stats } from 'node:fs';
import {
  type FileHandle,
  lstat,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { failure, isUserError, messageOf, systemCode } from '../errors.ts';

/** A farm file has a line per slave; what is longer than this is something else. */
const SIZE_LIMIT = 1024 * 1024;
const MODE_OF_A_NEW_FILE = 0o644;

function whoami(): string {
  const uid = process.getuid?.() ?? -1;
  try {
    return `user ${userInfo().username}`;
  } catch {
    return `user id ${uid}`;
  }
}

/** What the system's refusal means for a person who has to do something about it. */
function advice(error: unknown, directory: string): string {
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return `${whoami()} has no permission. Run the balancer as root (with --user for what needs no privilege)`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no directory ${directory}. Is GBrowse installed there? Else set [MASTER] renderfarm_conf`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full. Make room; the balancer tries again';
    case 'EROFS':
      return 'the file system is read-only. Remount it for writing, or set [MASTER] renderfarm_conf';
    case 'EISDIR':
      return 'it is a directory. Set [MASTER] renderfarm_conf to a file';
    case 'EBUSY':
      return 'it is a mount point, and cannot be replaced. Mount its directory instead';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    default:
      return messageOf(error);
  }
}

/** The stat of what is there; undefined where nothing is. */
async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function checkKind(path: string, { size }: Stats, isFile: boolean): void {
  if (!isFile)
    throw failure(`${path}: this is no regular file. Set [MASTER] renderfarm_conf to GBrowse's farm file`);
  if (size > SIZE_LIMIT) {
    throw failure(`${path}: ${size} bytes are too many for a farm file. Is [MASTER] renderfarm_conf right?`);
  }
}

/**
 * The farm file's text, one character per byte; undefined where there is no file.
 *
 * @throws {UserError} when it is there and cannot be read, or is something else
 */
export async function readFarmFile(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    // Not to wait for ever where it is a named pipe.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    checkKind(path, stats, stats.isFile());
    return await file.readFile('latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (isUserError(error)) throw error;
    throw failure(`cannot read ${path}: ${advice(error, dirname(path))}`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** The file that a path stands for, where it is a link; it need not exist. */
async function targetOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || links > 40) throw error;
  }
  const directory = await realpath(dirname(path));
  const here = join(directory, basename(path));
  const isLink = await lstat(here).then(
    stats => stats.isSymbolicLink(),
    () => false,
  );
  return isLink ? targetOf(resolve(directory, await readlink(here)), links + 1) : here;
}

/** A name beside the file, which says whose it is: GBrowse reads no such file. */
function temporaryPrefix(target: string): string {
  return join(dirname(target), `.${basename(target)}.balancer-`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Removes what a balancer that was killed while it wrote has left behind. */
async function removeLeftovers(target: string): Promise<void> {
  const prefix = basename(temporaryPrefix(target));
  for (const name of await readdir(dirname(target)).catch(() => [])) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(pid) || (pid !== process.pid && isAlive(pid))) continue;
    await unlink(join(dirname(target), name)).catch(() => {});
  }
}

/** Owner, group and mode that the new file has to have: the old one's, else those of its surroundings. */
async function attributesOf(target: string): Promise<{ uid: number; gid: number; mode: number }> {
  const old = await statIfThere(target);
  if (old !== undefined) {
    checkKind(target, old, old.isFile());
    return { uid: old.uid, gid: old.gid, mode: old.mode & 0o7777 };
  }
  const beside = (await statIfThere(join(dirname(target), 'GBrowse.conf'))) ?? (await stat(dirname(target)));
  return { uid: beside.uid, gid: beside.gid, mode: MODE_OF_A_NEW_FILE };
}

async function writeAndSync(
  path: string,
  text: string,
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
) {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text, 'latin1');
    // A directory's setgid bit may have given it another group. Owner before mode: chown clears setuid and setgid.
    const made = await file.stat();
    if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** So that the new name survives a power failure too. Where that cannot be, the file is in its place all the same. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

/**
 * Puts a new text in place of the farm file's, at one stroke: whoever reads it gets the old or the new one, whole. Owner,
 * group and mode stay; a link stays a link. One call at a time.
 *
 * @param text one character per byte
 * @throws {UserError} when that cannot be; the file is as it was then, and nothing is left beside it
 */
export async function replaceFarmFile(path: string, text: string): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await targetOf(path);
    const attributes = await attributesOf(target);
    await removeLeftovers(target);
    const name = `${temporaryPrefix(target)}${process.pid}`;
    temporary = name;
    await writeAndSync(name, text, attributes);
    await rename(name, target);
    temporary = undefined;
    await syncDirectory(dirname(target));
  } catch (error) {
    if (temporary !== undefined) await unlink(temporary).catch(() => {});
    if (isUserError(error)) throw error;
    throw failure(`cannot write ${path}: ${advice(error, dirname(path))}`, { cause: error });
  }
}
