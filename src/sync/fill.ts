import { MINUTE } from '../clock.ts';
import { counted } from '../format/numbers.ts';
import { shellQuoted } from '../format/shell.ts';
import { byteSize } from '../format/sizes.ts';
import { commandFailure, runCommand } from '../os/command.ts';
import type { Run } from '../staging/run.ts';
import type { Ssh } from '../staging/ssh.ts';
import type { Machine } from '../staging/temporary.ts';
import type { Tools } from '../staging/tools.ts';
import { type CopyTools, copyTree } from './copy/copy.ts';
import { copyServers } from './copy/held.ts';
import type { SyncPlan } from './plan/plan.ts';
import { bytesPerInode, needOf } from './plan/volume-size.ts';
import { findServers } from './servers/find.ts';
import { holdServers } from './servers/hold-servers.ts';
import { assertWhole, clusterExcludes, findClusters } from './servers/postgres.ts';
import { createSnapshots } from './snapshots/snapshots.ts';
import { parseManifest } from './volumes/manifest.ts';
import {
  enlargeRoot,
  growthOf,
  manifestScript,
  type Placed,
  placeTrees,
  tidyScript,
} from './volumes/roots.ts';
import { type DataRoot, parsePrepared, prepareScript, sealScript } from './volumes/script.ts';
import { type DataVolume, dataVolumes, foreignVolumes } from './volumes/volumes.ts';

/** What the volumes are filled with. */
type Filling = {
  readonly run: Run;
  readonly plan: SyncPlan;
  /** How long (ms) the machine runs without hearing from us. */
  readonly orphanTimeout: number;
  readonly tools: Tools;
};

/** The data volumes as the machine has mounted them, and the versions of rsync here and there. */
type Mounted = {
  readonly volumes: readonly DataVolume[];
  /** Replaced when one becomes larger. */
  readonly roots: DataRoot[];
  readonly versions: readonly string[];
};

/**
 * Copies the trees onto the data volumes of a staging instance, and takes the snapshots of these.
 *
 * @returns the snapshots, in the order of the volumes; EBS is still storing them
 */
export async function fillVolumes(filling: Filling, machine: Machine): Promise<readonly string[]> {
  const mounted = await mountVolumes(filling, machine);
  const placed = await makeRoom(filling, machine.ssh, mounted);
  await copyAll(filling, machine.ssh, mounted, placed);
  await unmountVolumes(filling, machine.ssh, mounted, placed);
  return await takeSnapshots(filling, machine, mounted);
}

async function mountVolumes({ run, plan, tools }: Filling, { ssh }: Machine): Promise<Mounted> {
  const { ec2, clock, phases, signal } = tools;
  return await phases.time('attach and mount the volumes', async () => {
    const volumes = await dataVolumes(ec2, run, plan.volumes, clock, signal);
    const local = await runCommand(['rsync', '--version'], { signal });
    const ratio = bytesPerInode(plan.volumes[0]?.size ?? 1, needOf(plan.trees.map(({ size }) => size)));
    const ended = await ssh.script(prepareScript(volumes, ratio), { signal });
    if (ended.status !== 0) throw commandFailure('preparing the data volumes on the staging instance', ended);
    const { roots, rsync } = parsePrepared(ended.stdout, volumes);
    const version = /version v?(\d+\.\d+\.\d+)/.exec(local.stdout)?.[1] ?? '';
    return { volumes, roots: [...roots], versions: [version, rsync] };
  });
}

/** Decides where each tree goes, and makes its volume large enough. */
async function makeRoom({ plan, tools }: Filling, ssh: Ssh, { roots }: Mounted): Promise<readonly Placed[]> {
  const { phases, signal } = tools;
  const placed = placeTrees(plan.trees, roots);
  const tidy = roots.map(root => tidyScript(root, placed)).join('');
  if (tidy !== '') {
    const ended = await ssh.script(`set -e\n${tidy}`, { signal });
    if (ended.status !== 0) throw commandFailure('removing old directories from the data volumes', ended);
  }
  for (const { point } of roots.filter(root => growthOf(root, placed) > 0)) {
    await phases.time('enlarge the volume', () => enlargeRoot(tools, ssh, roots, placed, point));
  }
  return placed;
}

async function copyAll(
  { orphanTimeout, tools }: Filling,
  ssh: Ssh,
  { roots, versions }: Mounted,
  placed: readonly Placed[],
): Promise<void> {
  const copyTools: CopyTools = {
    ...tools,
    ssh,
    versions,
    patience: Math.max(MINUTE, orphanTimeout / 2),
    enlarge: point => enlargeRoot(tools, ssh, roots, placed, point),
  };
  for (const it of placed) await copyOne(copyTools, it);
}

/** A server's data are copied while it works, and a last time while it is held; other data as they are. */
async function copyOne(tools: CopyTools, { tree, size, root, place }: Placed): Promise<void> {
  const { report } = tools;
  const clusters = tree.kind === 'postgresql' ? await findClusters(tree.source) : [];
  for (const cluster of clusters) await assertWhole(tree.source, cluster);
  const hardLinksThere = await makeTarget(tools, `${root.point}/${place}`);
  report.say(
    `Copying ${tree.source} (${byteSize(size.bytes)}, ${counted(size.inodes, 'entry', 'entries')}) to ${place}/`,
  );
  const copying = {
    tree,
    bytes: size.bytes,
    root: root.point,
    place,
    exclude: clusterExcludes(tree.source, clusters),
    isFirst: !parseManifest(root.manifest).some(entry => entry.place === place),
    holes: size.holes,
    hardLinks: size.hardLinks || hardLinksThere,
    fineTimes: root.kind === 'plain',
  };
  const directories = tree.kind === 'mysql' ? [tree.source] : clusters;
  const servers =
    tree.kind === 'databases'
      ? []
      : findServers(directories, ({ pid, dataDirectory }) =>
          report.warn(
            `process ${pid} works in ${dataDirectory} under a server's name, but not as the directory's owner: it is left alone`,
          ),
        );
  if (servers.length === 0) {
    if (tree.kind !== 'databases') report.say('  no server is running there, so its files do not change');
    await copyTree(tools, copying);
    return;
  }
  await copyServers(tools, copying, () => holdServers(directories, tools));
}

/** @returns whether it has files with several names */
async function makeTarget({ ssh, signal }: CopyTools, target: string): Promise<boolean> {
  const quoted = shellQuoted(target);
  const command = `mkdir -p ${quoted} && find ${quoted} -type f -links +1 -print | head -n 1`;
  const ended = await ssh.script(command, { signal });
  if (ended.status !== 0) throw commandFailure(`making ${target} on the staging instance`, ended);
  return ended.stdout !== '';
}

async function unmountVolumes(
  { tools }: Filling,
  ssh: Ssh,
  { roots }: Mounted,
  placed: readonly Placed[],
): Promise<void> {
  const { clock, phases, signal } = tools;
  await phases.time('write the manifest and unmount', async () => {
    const now = new Date(clock.wall()).toISOString();
    const script = roots.map(root => manifestScript(root, placed, now)).join('') + sealScript(roots);
    const ended = await ssh.script(script, { signal, timeLimit: WRITE_LIMIT });
    if (ended.status !== 0) throw commandFailure('unmounting the data volumes', ended);
  });
}

/** A slow volume writes out what the machine's memory holds. */
const WRITE_LIMIT = 60 * MINUTE;

async function takeSnapshots(
  { run, plan, tools }: Filling,
  { instanceId }: Machine,
  { volumes }: Mounted,
): Promise<readonly string[]> {
  tools.report.say('Taking the snapshot');
  return await tools.phases.time('snapshot calls', async () => {
    const foreign = await foreignVolumes(tools.ec2, run, volumes, plan.rootDevice);
    return await createSnapshots(tools, run, instanceId, volumes, foreign);
  });
}
