import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.ts';

/** As in the kernel: a path with more links than this is a loop. */
const MOST_LINKS = 40;

/** A part of a path (a directory, a link, the file itself) that not only root can change. */
export type ForeignPart = {
  readonly path: string;
  /** Its owner; if that is root, others may write to it. */
  readonly uid: number;
  /** Whether others than its owner may write to it, by its mode or an access control list. */
  readonly isShared: boolean;
};

/**
 * The first part of a path by which somebody other than root could decide what is there: it belongs to another user, or
 * others may write to it. Undefined when only root, or trusted users, can change the path. Each link on the way is
 * followed. The group's bits of the mode are the mask of an access control list, so any write bit in them counts,
 * whatever the group.
 *
 * @param about `content`, or only `place`: which file or directory is at the path, regardless of who may write into it
 * @param trusted ids of users besides root
 */
export async function foreignPartOf(
  file: string,
  about: 'content' | 'place',
  trusted: readonly number[] = [],
): Promise<ForeignPart | undefined> {
  let rest = partsOf(path.resolve(file));
  let place = '/';
  let links = 0;
  /** The directory that `place` is in, if it is one such as /tmp: all may create files, nobody may replace another's. */
  let sharedParent: ForeignPart | undefined;

  for (;;) {
    const entry = await lstat(place).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
      throw error;
    });
    if (entry === undefined) return sharedParent;
    const isLast = entry.isFile() || (entry.isDirectory() && rest.length === 0);
    const onlyContent = isLast && sharedParent === undefined;
    if (about === 'place' && onlyContent) return undefined;
    const part = { path: place, uid: entry.uid, isShared: isWritableByOthers(entry) };
    if (entry.uid !== 0 && !trusted.includes(entry.uid)) return part;
    if (entry.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) throw new Error(`too many symbolic links in ${file}`);
      rest = [...partsOf(path.resolve(path.dirname(place), await readlink(place))), ...rest];
      place = '/';
      sharedParent = undefined;
      continue;
    }
    const isSticky = entry.isDirectory() && (entry.mode & 0o1000) !== 0;
    if (part.isShared && !isSticky) return part;
    sharedParent = part.isShared ? part : undefined;
    const [next, ...others] = rest;
    if (next === undefined) return undefined;
    place = path.join(place, next);
    rest = others;
  }
}

function partsOf(absolute: string): readonly string[] {
  return absolute.split('/').filter(part => part !== '');
}

function isWritableByOthers(entry: Stats): boolean {
  return !entry.isSymbolicLink() && (entry.mode & 0o022) !== 0;
}
