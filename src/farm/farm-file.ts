import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { failure, isUserError, messageOf, systemCode } from '../errors.ts';
import { type Attributes, replaceFile, statIfThere, targetOf } from '../os/replace-file.ts';
import { foreignPartOf } from '../os/root-path.ts';

/** A farm file has one line per slave; a longer file is something else. */
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

/** What a file is for: GBrowse's farm file, or the list of `farm = live`. */
type FarmFileKind = 'farm file' | 'list of slaves';

const OPTIONS = { 'farm file': '[MASTER] renderfarm_conf', 'list of slaves': '[MASTER] farm_list' } as const;

const PERMISSION = {
  'farm file': 'run the balancer as root (with --user for what needs no privilege)',
  'list of slaves':
    'as root: gbrowse-aws-balancer farm --install --user USER, with the user that the balancer runs as',
} as const;

/** What the system's error means, and what to do about it. */
export function advice(error: unknown, directory: string, kind: FarmFileKind = 'farm file'): string {
  const option = OPTIONS[kind];
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return `${whoami()} has no permission; ${PERMISSION[kind]}`;
    case 'ENOENT':
    case 'ENOTDIR':
      return kind === 'farm file'
        ? `there is no directory ${directory}; if GBrowse is installed elsewhere, set ${option}`
        : `there is no directory ${directory}; ${PERMISSION[kind]}`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; make room, and the balancer tries again';
    case 'EROFS':
      return `the file system is read-only; remount it for writing, or set ${option}`;
    case 'EISDIR':
      return `it is a directory; set ${option} to a file`;
    case 'EBUSY':
      return 'it is a mount point, and cannot be replaced; mount its directory instead';
    case 'ELOOP':
      return 'its symbolic links form a loop';
    default:
      return messageOf(error);
  }
}

function checkKind(path: string, { size }: Stats, isFile: boolean, kind: FarmFileKind = 'farm file'): void {
  if (!isFile) throw failure(`${path}: not a regular file; set ${OPTIONS[kind]} to the ${kind}`);
  if (size > SIZE_LIMIT) {
    throw failure(`${path}: ${size} bytes are too many for a ${kind}; is ${OPTIONS[kind]} right?`);
  }
}

/**
 * The text of the farm file, or of the list, one character per byte; undefined where there is no file.
 *
 * @throws {UserError} when it is there and cannot be read, or is something else
 */
export async function readFarmFile(
  path: string,
  kind: FarmFileKind = 'farm file',
): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    // So that a named pipe does not block for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    checkKind(path, stats, stats.isFile(), kind);
    return await file.readFile('latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (isUserError(error)) throw error;
    throw failure(`cannot read ${path}: ${advice(error, dirname(path), kind)}`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** A new farm file gets the owner and group of its surroundings. */
async function attributesOfNew(target: string): Promise<Attributes> {
  const beside = (await statIfThere(join(dirname(target), 'GBrowse.conf'))) ?? (await stat(dirname(target)));
  return { uid: beside.uid, gid: beside.gid, mode: MODE_OF_A_NEW_FILE };
}

async function assertPlace(file: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const foreign = await foreignPartOf(file, 'place');
  if (foreign === undefined) return;
  throw failure(
    `${file} is not written as root, because users other than root can change ${foreign.path}; give it to root ` +
      '(chown root, chmod go-w), or run the balancer as the user that it belongs to (--user)',
  );
}

/**
 * Puts a new text in place of the farm file's, atomically: readers get the whole old or the whole new text. Owner,
 * group and permissions stay; a link stays a link. Root does so only if nobody else can change the path. One call at a
 * time.
 *
 * @param text one character per byte
 * @throws {UserError} when it cannot be replaced; then the file is unchanged, and nothing is left beside it
 */
export async function replaceFarmFile(path: string, text: string): Promise<void> {
  try {
    const target = await targetOf(path);
    const old = await statIfThere(target);
    if (old !== undefined) checkKind(target, old, old.isFile());
    await assertPlace(path);
    await replaceFile(target, text, old === undefined ? { attributes: await attributesOfNew(target) } : {});
  } catch (error) {
    if (isUserError(error)) throw error;
    throw failure(`cannot write ${path}: ${advice(error, dirname(path))}`, { cause: error });
  }
}
