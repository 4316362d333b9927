import path from 'node:path';
import { failure } from '../../errors.ts';
import { lastWords, runCommand } from '../../os/command.ts';
import { isInside, type Tree } from './trees.ts';

/** How large a tree is. */
export type TreeSize = {
  /** Everything that takes an inode: files (a hard-linked one once), directories, links. */
  readonly inodes: number;
  /** The length of the files, including holes: the measure for progress. */
  readonly bytes: number;
  /** What they take on a file system with blocks of 4 KiB; holes take nothing. */
  readonly allocated: number;
  /** Whether some file has more than one name. */
  readonly hardLinks: boolean;
  /** Whether some file has holes. */
  readonly holes: boolean;
  /** Symbolic links to places outside of all trees, as `PATH -> TARGET`; the first few. */
  readonly leadingOut: readonly string[];
  /** How many there are. */
  readonly leadingOutCount: number;
  /** What this user may not read; the first few. */
  readonly unreadable: readonly string[];
};

/** A tree, and how large it is. */
export type SizedTree = { readonly tree: Tree; readonly size: TreeSize };

const BLOCK = 4096;
const SHOWN = 3;

/**
 * Measures a tree with find(1), which is much faster than asking for each file here.
 *
 * @param trees all that is copied: a link into one of them leads nowhere else
 * @throws {UserError} when it cannot be done
 */
export async function measure(tree: Tree, trees: readonly Tree[], signal?: AbortSignal): Promise<TreeSize> {
  const counter = createCounter(tree, trees);
  const asRoot = process.getuid?.() === 0;
  // Every word ends with a zero byte, so a name may hold anything else.
  const entry = ['-printf', 'e%y %n %D:%i %s %b\\0'];
  const link = ['-type', 'l', '-printf', 'l%P\\0%l\\0', ','];
  const refused = asRoot
    ? []
    : ['(', '!', '-type', 'l', '!', '-readable', '-printf', 'u%p\\0', '-o', '-true', ')', ','];
  let rest = '';
  const ended = await runCommand(['find', `${tree.source}/`, ...refused, '(', ...link, ...entry, ')'], {
    ...(signal !== undefined && { signal }),
    onOutput: text => {
      const words = (rest + text).split('\0');
      rest = words.pop() ?? '';
      for (const word of words) counter.take(word);
    },
  });
  const size = counter.size();
  if (ended.status !== 0 && size.unreadable.length === 0 && !/No such file/.test(ended.stderr)) {
    throw failure(`${tree.source} cannot be read: ${lastWords(ended.stderr)}`);
  }
  return size;
}

function createCounter(tree: Tree, trees: readonly Tree[]) {
  const seen = new Set<string>();
  let [inodes, bytes, allocated, leadingOutCount] = [0, 0, 0, 0];
  const leadingOut: string[] = [];
  const unreadable: string[] = [];
  let holes = false;
  let linkName: string | undefined;

  function take(word: string): void {
    if (linkName !== undefined) {
      takeLink(linkName, word);
      linkName = undefined;
    } else if (word.startsWith('l')) linkName = word.slice(1);
    else if (word.startsWith('u')) {
      if (unreadable.length < SHOWN) unreadable.push(word.slice(1));
    } else takeEntry(word.slice(1));
  }

  function takeEntry(word: string): void {
    const [type = '', names = '', inode = '', size = '', blocks = ''] = word.split(' ');
    if (type !== 'd' && Number(names) > 1) {
      if (seen.has(inode)) return;
      seen.add(inode);
    }
    inodes += 1;
    if (type === 'd') allocated += Math.max(BLOCK, Number(size));
    if (type !== 'f') return;
    bytes += Number(size);
    holes ||= Number(blocks) * 512 < Number(size);
    const taken = Math.ceil((Number(blocks) * 512) / BLOCK) * BLOCK;
    allocated += Number(size) > 0 ? Math.max(BLOCK, taken) : 0;
  }

  function takeLink(name: string, target: string): void {
    const from = path.join(tree.source, name);
    const to = path.resolve(path.dirname(from), target);
    const known = trees.flatMap(it => [it.source, ...it.paths]);
    if (known.some(directory => isInside(to, directory))) return;
    leadingOutCount += 1;
    if (leadingOut.length < SHOWN) leadingOut.push(`${from} -> ${target}`);
  }

  return {
    take,
    size: (): TreeSize => ({
      inodes,
      bytes,
      allocated,
      hardLinks: seen.size > 0,
      holes,
      leadingOut,
      leadingOutCount,
      unreadable,
    }),
  };
}
