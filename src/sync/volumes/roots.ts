import { failure } from '../../errors.ts';
import { commandFailure } from '../../os/command.ts';
import { MANIFEST } from '../../spot/user-data.ts';
import type { Ssh } from '../../staging/ssh.ts';
import type { Tools } from '../../staging/tools.ts';
import { measure, type SizedTree } from '../plan/measure.ts';
import { PLACES, type Tree } from '../plan/trees.ts';
import { growth, needOf } from '../plan/volume-size.ts';
import { type Entry, entryOf, formatManifest, kindAt, parseManifest } from './manifest.ts';
import { type DataRoot, growScript, parseRoom } from './script.ts';
import { enlarge } from './volumes.ts';

/** A tree, and where it goes: the data root, and the place below it. */
export type Placed = SizedTree & {
  readonly root: DataRoot;
  readonly place: string;
};

/** No site has so many directories of databases. */
const MOST_PLACES = 99;

/**
 * Where trees go: each to its existing place; a new directory of databases to the place of one that is not needed any
 * more; else to the first volume.
 *
 * @throws {UserError} when there is no volume, or there are too many directories
 */
export function placeTrees(trees: readonly SizedTree[], roots: readonly DataRoot[]): readonly Placed[] {
  const [first] = roots;
  if (first === undefined) throw failure('the staging instance has no data volume that could be used');
  const present = roots.flatMap(root =>
    parseManifest(root.manifest).map(entry => ({ root, entry, kind: kindAt(entry.place) })),
  );
  const has = (entry: Entry, { paths }: Tree) => entry.paths.some(it => paths.includes(it));
  const stale = present.filter(
    ({ entry, kind }) => kind === 'databases' && !trees.some(({ tree }) => has(entry, tree)),
  );
  const taken = new Set(present.filter(it => it.root === first).map(({ entry }) => entry.place));
  return trees.map(({ tree, size }) => {
    const own = present.find(({ entry, kind }) =>
      tree.kind === 'databases' ? kind === 'databases' && has(entry, tree) : kind === tree.kind,
    );
    const at = own ?? (tree.kind === 'databases' ? stale.shift() : undefined);
    if (at !== undefined) return { tree, size, root: at.root, place: at.entry.place };
    const place = freePlace(tree, taken);
    taken.add(place);
    return { tree, size, root: first, place };
  });
}

function freePlace({ kind }: Tree, taken: ReadonlySet<string>): string {
  if (kind !== 'databases') return PLACES[kind];
  for (let number = 1; number <= MOST_PLACES; number++) {
    const place = number === 1 ? PLACES.databases : `${PLACES.databases}-${number}`;
    if (!taken.has(place)) return place;
  }
  throw failure(`[MASTER] databases: more than ${MOST_PLACES} directories cannot be copied`);
}

/** Directories of databases that lie on a root and are not wanted any more. */
function surplusPlaces(root: DataRoot, placed: readonly Placed[]): readonly string[] {
  return parseManifest(root.manifest)
    .map(({ place }) => place)
    .filter(place => kindAt(place) === 'databases' && !isPlaced(root, place, placed));
}

function isPlaced(root: DataRoot, place: string, placed: readonly Placed[]): boolean {
  return placed.some(it => it.root.point === root.point && it.place === place);
}

/** How many GiB are missing for the trees of a root, beside what else lies there. */
export function growthOf(root: DataRoot, placed: readonly Placed[]): number {
  const here = placed.filter(it => it.root.point === root.point);
  const wanted = needOf(here.map(({ size }) => size));
  const surplus = surplusPlaces(root, placed);
  const replaced =
    root.manifest === ''
      ? needOf([{ allocated: root.held, inodes: root.heldInodes }])
      : needOf(
          parseManifest(root.manifest).filter(
            ({ place }) => isPlaced(root, place, placed) || surplus.includes(place),
          ),
        );
  return growth(
    { bytes: root.size, inodes: root.inodes },
    {
      bytes: wanted.bytes + Math.max(0, root.used - replaced.bytes),
      inodes: wanted.inodes + Math.max(0, root.inodesUsed - replaced.inodes),
    },
  );
}

/**
 * Makes a data root larger: by what its trees need now, at least by a fifth, because EBS lets a volume grow once in six
 * hours.
 */
export async function enlargeRoot(
  { ec2, clock, report, signal }: Tools,
  ssh: Ssh,
  roots: DataRoot[],
  placed: readonly Placed[],
  point: string,
): Promise<void> {
  const at = roots.findIndex(it => it.point === point);
  const root = roots[at];
  const last = root?.volumes.at(-1);
  if (root === undefined || last === undefined) throw new Error(`no data root ${point}`);
  const trees = placed.map(({ tree }) => tree);
  const now = await Promise.all(
    placed.map(async it => ({ ...it, size: await measure(it.tree, trees, signal) })),
  );
  const size = last.size + Math.max(Math.ceil(last.size / 5), growthOf(root, now));
  report.say(`  making ${last.volumeId} larger: ${last.size} GiB to ${size} GiB`);
  const larger = await enlarge(ec2, last, size, clock, signal);
  const ended = await ssh.script(growScript(root), { signal });
  if (ended.status !== 0) throw commandFailure('making the file system larger', ended);
  roots[at] = { ...root, ...parseRoom(ended.stdout), volumes: [...root.volumes.slice(0, -1), larger] };
}

/** The script that removes directories of databases that are not wanted any more; it comes before the copy. */
export function tidyScript(root: DataRoot, placed: readonly Placed[]): string {
  return surplusPlaces(root, placed)
    .map(place => `rm -rf -- ${root.point}/${place}\n`)
    .join('');
}

/** The script that writes a root's manifest: what was copied now, and what lies there from before. */
export function manifestScript(root: DataRoot, placed: readonly Placed[], now: string): string {
  const here = placed.filter(it => it.root.point === root.point);
  const surplus = surplusPlaces(root, placed);
  const kept = parseManifest(root.manifest).filter(
    ({ place }) => !isPlaced(root, place, placed) && !surplus.includes(place),
  );
  const text = formatManifest([
    ...here.map(({ tree, place, size }) => entryOf(tree, place, size, now)),
    ...kept,
  ]);
  const encoded = Buffer.from(text).toString('base64');
  return `base64 -d > ${root.point}/${MANIFEST} <<'END' || exit 1\n${encoded}\nEND\n`;
}
