import { failure } from '../../errors.ts';
import { MANIFEST } from '../../spot/user-data.ts';
import { commandFailure } from '../../staging/command.ts';
import type { Ssh } from '../../staging/ssh.ts';
import { measure, type TreeSize } from '../plan/measure.ts';
import type { Tree } from '../plan/trees.ts';
import { growth, needOf } from '../plan/volume-size.ts';
import type { Stage } from '../stage.ts';
import { entryOf, formatManifest, parseManifest } from './manifest.ts';
import { type DataRoot, growScript, parseRoom } from './script.ts';
import { enlarge } from './volumes.ts';

/** A tree, and the data root that it goes to. */
export type Placed = { readonly tree: Tree; readonly size: TreeSize; readonly root: DataRoot };

/** The volume that has the tree already, else the first. */
export function rootFor(tree: Tree, roots: readonly DataRoot[]): DataRoot {
  const root =
    roots.find(it => parseManifest(it.manifest).some(({ kind }) => kind === tree.kind)) ?? roots[0];
  if (root === undefined) throw failure('the staging instance has no data volume that could be used');
  return root;
}

/** How many GiB are missing for the trees of a root, beside what else lies there. */
export function growthOf(root: DataRoot, placed: readonly Placed[]): number {
  const here = placed.filter(it => it.root.point === root.point);
  const wanted = needOf(here.map(({ size }) => size));
  const replaced =
    root.manifest === ''
      ? needOf([{ allocated: root.held, inodes: root.heldInodes }])
      : needOf(parseManifest(root.manifest).filter(entry => here.some(it => it.tree.kind === entry.kind)));
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
  { ec2, tools }: Stage,
  ssh: Ssh,
  roots: DataRoot[],
  placed: readonly Placed[],
  point: string,
): Promise<void> {
  const { clock, report, signal } = tools;
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

/** The script that writes a root's manifest: what was copied now, and what lies there from before. */
export function manifestScript(root: DataRoot, placed: readonly Placed[], now: string): string {
  const here = placed.filter(it => it.root.point === root.point);
  const kept = parseManifest(root.manifest).filter(entry => !here.some(it => it.tree.kind === entry.kind));
  const text = formatManifest([...here.map(({ tree, size }) => entryOf(tree, size, now)), ...kept]);
  const encoded = Buffer.from(text).toString('base64');
  return `base64 -d > ${root.point}/${MANIFEST} <<'END' || exit 1\n${encoded}\nEND\n`;
}
