import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import type { Account } from './privileges.ts';

/** As the kernel: a path with more links than this in it is a loop. */
const MOST_LINKS = 40;

/**
 * The first part of a path (a directory, a link, the file itself) by which a user could decide what a file says: because
 * it is the user's own, or because the user may write to it. Undefined when the user has no influence. Each link on
 * the way is followed; access control lists are seen as far as they show in the group's mode.
 *
 * @param about `content`, or only `place`: which file it is that stands at the path, whoever may write into it
 */
export async function partUnderControlOf(
  account: Account,
  file: string,
  about: 'content' | 'place',
): Promise<string | undefined> {
  let rest = partsOf(path.resolve(file));
  let place = '/';
  let links = 0;
  /** The directory that `place` is in, if it is one such as /tmp: all may create files, nobody replace another's. */
  let sharedParent: string | undefined;

  for (;;) {
    const entry = await lstat(place).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
      throw error;
    });
    if (entry === undefined) return sharedParent;
    const onlyContent = entry.isFile() && sharedParent === undefined;
    if (about === 'place' && onlyContent) return undefined;
    if (entry.uid === account.uid) return place;
    if (entry.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) throw new Error(`Too many symbolic links in ${file}`);
      rest = [...partsOf(path.resolve(path.dirname(place), await readlink(place))), ...rest];
      place = '/';
      sharedParent = undefined;
      continue;
    }
    const shared = entry.isDirectory() && isSticky(entry);
    if (mayWrite(account, entry) && !shared) return place;
    sharedParent = mayWrite(account, entry) ? place : undefined;
    const [next, ...others] = rest;
    if (next === undefined) return undefined;
    place = path.join(place, next);
    rest = others;
  }
}

function partsOf(absolute: string): readonly string[] {
  return absolute.split('/').filter(part => part !== '');
}

function mayWrite({ groups }: Account, { mode, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && groups.includes(gid));
}

function isSticky({ mode }: Stats): boolean {
  return (mode & 0o1000) !== 0;
}
