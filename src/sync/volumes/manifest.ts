import type { TreeSize } from '../plan/measure.ts';
import { PLACES, type Tree, type TreeKind } from '../plan/trees.ts';

/** One copied tree, as the manifest in the data root describes it: a slave reads it to put the tree in its place. */
export type Entry = {
  readonly kind: TreeKind;
  readonly paths: readonly string[];
  /** What it took when it was copied. */
  readonly allocated: number;
  readonly inodes: number;
  /** When it was copied (ISO time). */
  readonly copied: string;
};

const HEAD = `# Written by gbrowse-aws-balancer sync. What lies here, and at which path the master has it:
# place, path, bytes, inodes, time of the copy; separated by tabs.
`;

/** The manifest's text: a line for each path of each tree. */
export function formatManifest(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ kind, paths, allocated, inodes, copied }) =>
    paths.map(path => `${PLACES[kind]}\t${path}\t${allocated}\t${inodes}\t${copied}\n`),
  );
  return HEAD + lines.join('');
}

/** The entries of a manifest; lines that make no sense are left out. */
export function parseManifest(text: string): readonly Entry[] {
  const entries = new Map<TreeKind, Entry>();
  for (const line of text.split('\n')) {
    const [place, path = '', allocated, inodes, copied = ''] = line.split('\t');
    const kind = KINDS.find(it => PLACES[it] === place);
    if (kind === undefined || !path.startsWith('/')) continue;
    const paths = [...(entries.get(kind)?.paths ?? []), path];
    entries.set(kind, {
      kind,
      paths,
      allocated: Number(allocated) || 0,
      inodes: Number(inodes) || 0,
      copied,
    });
  }
  return [...entries.values()];
}

/** The entry of a tree that is being copied. */
export function entryOf(tree: Tree, size: TreeSize, copied: string): Entry {
  const { allocated, inodes } = size;
  return { kind: tree.kind, paths: tree.paths, allocated, inodes, copied };
}

const KINDS: readonly TreeKind[] = ['databases', 'mysql', 'postgresql'];
