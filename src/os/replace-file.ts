import type { Stats } from 'node:fs';
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
import path from 'node:path';
import { systemCode } from '../errors.ts';

/** Owner, group and permissions of a file. */
export type Attributes = Pick<Stats, 'uid' | 'gid' | 'mode'>;

type ReplaceOptions = {
  /** What a new file gets; an old one's own attributes stay. Unset: ours, 0644. */
  readonly attributes?: Partial<Attributes>;
  /** Whether the attributes above are given also to a file that is there already. */
  readonly force?: boolean;
  /** Whether a link at the path is replaced itself. Unset: what it points to is replaced, and the link stays. */
  readonly replaceLink?: boolean;
};

/** The attributes of the new file, by `ReplaceOptions`. */
type Wanted = { readonly uid: number | undefined; readonly gid: number | undefined; readonly mode: number };

/**
 * Puts a new text in place of a file's, atomically: readers get the whole old or the whole new text, even after a power
 * failure. One call for a path at a time. Leftovers of a process that was killed meanwhile are removed.
 *
 * @param text one character per byte where it is a string
 * @throws the system's error; then the file is unchanged, and nothing is left beside it
 */
export async function replaceFile(
  file: string,
  text: string | Buffer,
  { attributes = {}, force = false, replaceLink = false }: ReplaceOptions = {},
): Promise<void> {
  const target = replaceLink ? path.resolve(file) : await targetOf(file);
  const old = force ? undefined : await statIfThere(target);
  const wanted: Wanted = {
    uid: old?.uid ?? attributes.uid,
    gid: old?.gid ?? attributes.gid,
    mode: (old?.mode ?? attributes.mode ?? 0o644) & 0o7777,
  };
  await removeLeftovers(target);
  const temporary = `${temporaryPrefix(target)}${process.pid}`;
  try {
    await writeNew(temporary, text, wanted);
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(path.dirname(target));
}

/** The file that a path stands for, where it is a link; it need not exist. */
export async function targetOf(file: string, links = 0): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || links > 40) throw error;
  }
  const directory = await realpath(path.dirname(file));
  const here = path.join(directory, path.basename(file));
  const isLink = await lstat(here).then(
    stats => stats.isSymbolicLink(),
    () => false,
  );
  return isLink ? targetOf(path.resolve(directory, await readlink(here)), links + 1) : here;
}

/** The stat of what is there; undefined where nothing is. */
export async function statIfThere(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * A name beside the file that shows which file it belongs to. It begins with a dot, so that programs that read all
 * files of a directory skip it.
 */
function temporaryPrefix(target: string): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.balancer-`);
}

async function writeNew(file: string, text: string | Buffer, { uid, gid, mode }: Wanted): Promise<void> {
  // Exclusively, so that nothing that somebody put there is written to.
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text, 'latin1');
    // A directory's setgid bit may have given it another group. Owner before mode: chown changes the mode.
    const made = await handle.stat();
    const [owner, group] = [uid ?? made.uid, gid ?? made.gid];
    if (made.uid !== owner || made.gid !== group) await handle.chown(owner, group);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So that the new name survives a power failure, too. If that fails, the file is replaced all the same. */
async function syncDirectory(directory: string): Promise<void> {
  const handle: FileHandle | undefined = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

async function removeLeftovers(target: string): Promise<void> {
  const prefix = path.basename(temporaryPrefix(target));
  for (const name of await readdir(path.dirname(target)).catch(() => [])) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(pid) || (pid !== process.pid && isAlive(pid))) continue;
    await unlink(path.join(path.dirname(target), name)).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
