import { MINUTE } from '../clock.ts';
import { counted } from '../format/numbers.ts';
import { byteSize } from '../format/sizes.ts';
import { commandFailure, runCommand } from '../staging/command.ts';
import type { Staging } from '../staging/instance.ts';
import type { Ssh } from '../staging/ssh.ts';
import { type CopyTools, copyServers, copyTree, shellQuoted } from './copy/copy.ts';
import { PLACES } from './plan/trees.ts';
import { bytesPerInode, needOf } from './plan/volume-size.ts';
import { findServers } from './servers/find.ts';
import { holdServers } from './servers/hold-servers.ts';
import { assertWhole, clusterExcludes, findClusters } from './servers/postgres.ts';
import { createSnapshots } from './snapshots/snapshots.ts';
import type { Stage } from './stage.ts';
import { parseManifest } from './volumes/manifest.ts';
import { enlargeRoot, growthOf, manifestScript, type Placed, rootFor } from './volumes/roots.ts';
import { parsePrepared, prepareScript, sealScript } from './volumes/script.ts';
import { dataVolumes, foreignVolumes } from './volumes/volumes.ts';

/**
 * Fills the data volumes of the staging instance, and takes their snapshots.
 *
 * @returns the snapshots, in the order of the volumes; EBS is still storing them
 */
export async function fillVolumes(stage: Stage, ssh: Ssh, staging: Staging): Promise<readonly string[]> {
  const { run, plan, launch, ec2, tools, phases } = stage;
  const { clock, report, signal } = tools;
  const need = needOf(plan.trees.map(({ size }) => size));
  const [volumes, local] = await phases.time('attach and mount the volume', async () => [
    await dataVolumes(ec2, run, plan.volumes, clock, signal),
    await runCommand(['rsync', '--version'], { signal }),
  ]);
  const prepared = await phases.time('attach and mount the volume', async () => {
    const ratio = bytesPerInode(plan.volumes[0]?.size ?? 1, need);
    const ended = await ssh.script(prepareScript(volumes, ratio), { signal });
    if (ended.status !== 0) throw commandFailure('preparing the data volumes on the staging instance', ended);
    return parsePrepared(ended.stdout, volumes);
  });
  const roots = prepared.roots.map(root => ({ ...root }));
  const placed = plan.trees.map(it => ({ ...it, root: rootFor(it.tree, roots) }));
  const grow = (point: string) => enlargeRoot(stage, ssh, roots, placed, point);
  for (const root of roots) {
    if (growthOf(root, placed) > 0) await phases.time('enlarge the volume', () => grow(root.point));
  }
  const versions = [/version v?(\d+\.\d+\.\d+)/.exec(local.stdout)?.[1] ?? '', prepared.rsync];
  const patience = Math.max(MINUTE, launch.orphanTimeout / 2);
  const copyTools: CopyTools = { ssh, versions, clock, report, phases, signal, patience, enlarge: grow };
  for (const it of placed) await copyOne(copyTools, it);
  await phases.time('write the manifest and unmount', async () => {
    const now = new Date(clock.wall()).toISOString();
    const script = roots.map(root => manifestScript(root, placed, now)).join('') + sealScript(roots);
    const ended = await ssh.script(script, { signal });
    if (ended.status !== 0) throw commandFailure('unmounting the data volumes', ended);
  });
  report.say('Taking the snapshot');
  return await phases.time('snapshot calls', async () => {
    const foreign = await foreignVolumes(ec2, run, volumes, launch.rootDevice);
    return await createSnapshots(tools.ec2, ec2, run, staging.instanceId, volumes, foreign, clock, signal);
  });
}

async function copyOne(tools: CopyTools, { tree, size, root }: Placed): Promise<void> {
  const { report } = tools;
  const isFirst = !parseManifest(root.manifest).some(({ kind }) => kind === tree.kind);
  const clusters = tree.kind === 'postgresql' ? await findClusters(tree.source) : [];
  for (const cluster of clusters) await assertWhole(tree.source, cluster);
  const target = `${root.point}/${PLACES[tree.kind]}`;
  const look = `mkdir -p ${shellQuoted(target)} && find ${shellQuoted(target)} -type f -links +1 -print | head -n 1`;
  const found = await tools.ssh.script(look, { signal: tools.signal });
  if (found.status !== 0) throw commandFailure(`making ${target} on the staging instance`, found);
  report.say(
    `Copying ${tree.source} (${byteSize(size.bytes)}, ${counted(size.inodes, 'entry', 'entries')}) to ${PLACES[tree.kind]}/`,
  );
  const copying = {
    tree,
    bytes: size.bytes,
    root: root.point,
    exclude: clusterExcludes(tree.source, clusters),
    isFirst,
    holes: size.holes,
    hardLinks: size.hardLinks || found.stdout !== '',
    fineTimes: root.kind === 'plain',
  };
  const directories = tree.kind === 'mysql' ? [tree.source] : clusters;
  const servers = tree.kind === 'databases' ? [] : await findServers(directories);
  if (servers.length === 0) {
    if (tree.kind !== 'databases') report.say('  no server works there, so its files are at rest');
    await copyTree(tools, copying);
    return;
  }
  await copyServers(tools, copying, () => holdServers(directories, tools));
}
