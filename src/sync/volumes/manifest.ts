import type { TreeSize } from '../plan/measure.ts';
import { PLACES, type Tree, type TreeKind } from '../plan/trees.ts';

/** One copied tree, as the manifest in the data root describes it: a slave reads it to put the tree in its place. */
export type Entry = {
  /** Below the data root. */
  readonly place: string;
  readonly paths: readonly string[];
  /** Its size when it was copied. */
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
  const lines = entries.flatMap(({ place, paths, allocated, inodes, copied }) =>
    paths.map(path => `${place}\t${path}\t${allocated}\t${inodes}\t${copied}\n`),
  );
  return HEAD + lines.join('');
}

/** The entries of a manifest; invalid lines are left out. */
export function parseManifest(text: string): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const line of text.split('\n')) {
    const [place = '', path = '', allocated, inodes, copied = ''] = line.split('\t');
    if (kindAt(place) === undefined || !path.startsWith('/')) continue;
    const paths = [...(entries.get(place)?.paths ?? []), path];
    entries.set(place, {
      place,
      paths,
      allocated: Number(allocated) || 0,
      inodes: Number(inodes) || 0,
      copied,
    });
  }
  return [...entries.values()];
}

/** The entry of a tree that is being copied. */
export function entryOf(tree: Tree, place: string, size: TreeSize, copied: string): Entry {
  const { allocated, inodes } = size;
  return { place, paths: tree.paths, allocated, inodes, copied };
}

/** What kind of tree lies at a place; undefined for a place that no tree has. */
export function kindAt(place: string): TreeKind | undefined {
  if (/^databases(-[2-9]|-[1-9]\d)?$/.test(place)) return 'databases';
  return place === PLACES.mysql ? 'mysql' : place === PLACES.postgresql ? 'postgresql' : undefined;
}
