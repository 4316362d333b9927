import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';

/** As the kernel: a path with more links than this in it is a loop. */
const MOST_LINKS = 40;

/**
 * The first part of a path by which somebody besides root and these users decides what stands at its end: a directory that
 * is another's, or that others may write to (access control lists show in the group's mode), or what somebody has put into
 * a shared directory such as /tmp. Each link on the way is followed.
 *
 * @param users ids
 * @returns undefined when there is none
 * @throws the system's error when a part is not there
 */
export async function partOfOthers(file: string, users: readonly number[]): Promise<string | undefined> {
  const trusted = new Set([0, ...users]);
  let rest = partsOf(path.resolve(file));
  let directory = '/';
  for (let links = 0; ; ) {
    const { uid, mode } = await lstat(directory);
    const shared = (mode & 0o022) !== 0;
    if (!trusted.has(uid) || (shared && (mode & 0o1000) === 0)) return directory;
    const [name, ...others] = rest;
    if (name === undefined) return undefined;
    const place = path.join(directory, name);
    const entry = await lstat(place);
    if (shared && !trusted.has(entry.uid)) return place;
    if (entry.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) throw new Error(`too many symbolic links in ${file}`);
      rest = [...partsOf(path.resolve(directory, await readlink(place))), ...others];
      directory = '/';
    } else if (others.length === 0) return undefined;
    else {
      directory = place;
      rest = others;
    }
  }
}

function partsOf(absolute: string): readonly string[] {
  return absolute.split('/').filter(part => part !== '');
}
