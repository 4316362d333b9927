import type { Ec2 } from '../../ec2/api.ts';
import { findImage } from '../../spot/image.ts';
import type { SyncOrder } from '../order.ts';
import { type Base, baseOf } from '../snapshots/retention.ts';
import { findSets, sizesOf } from '../snapshots/snapshots.ts';
import { devicesOf, type VolumePlan } from '../volumes/volumes.ts';
import { measure, type SizedTree } from './measure.ts';
import { problemsOf } from './problems.ts';
import { findTrees } from './trees.ts';
import { grownVolumeSize, type Need, needOf, newVolumeSize } from './volume-size.ts';
import { wantedTrees } from './wanted.ts';
import { warningsOf } from './warnings.ts';

/** Everything that a sync is about to do. */
export type SyncPlan = {
  readonly trees: readonly SizedTree[];
  readonly base: Base;
  readonly volumes: readonly VolumePlan[];
  readonly imageId: string;
  /** The devices of the image's own volumes, and which of them is its root. */
  readonly imageDevices: readonly string[];
  readonly rootDevice: string | undefined;
  readonly instanceTypes: readonly string[];
  readonly region: string;
  /** What the administrator should know. */
  readonly warnings: readonly string[];
  /** What prevents it. */
  readonly problems: readonly string[];
};

/**
 * Examines the master and EC2, and plans. It changes nothing.
 *
 * @throws {UserError} for directories that cannot be copied, or an image that is not there
 * @throws {Ec2Error}
 */
export async function planSync(order: SyncOrder, ec2: Ec2, signal: AbortSignal): Promise<SyncPlan> {
  const { config, site, region } = order;
  const { dataSnapshots, imageOwners, instanceTypes } = config.slave;
  const found = await findTrees(await wantedTrees(order));
  const trees = await Promise.all(
    found.map(async tree => ({ tree, size: await measure(tree, found, signal) })),
  );
  const [image, sets, configuredSizes] = await Promise.all([
    findImage(ec2, site, imageOwners),
    findSets(ec2, site.name),
    sizesOf(ec2, dataSnapshots),
  ]);
  const base = baseOf({ ids: dataSnapshots, sizes: configuredSizes }, sets);
  return {
    trees,
    base,
    volumes: volumesOf(base, needOf(trees.map(({ size }) => size))),
    imageId: image.imageId,
    imageDevices: await devicesOf(ec2, image.imageId),
    rootDevice: image.rootDevice,
    instanceTypes,
    region,
    warnings: await warningsOf(trees, config.file),
    problems: await problemsOf(trees),
  };
}

function volumesOf(base: Base, need: Need): readonly VolumePlan[] {
  if (base.kind === 'new') return [{ size: newVolumeSize(need) }];
  const { ids, sizes } = base.kind === 'configured' ? base : base.set;
  // Of several, only the machine that mounts them can tell which one is full.
  return ids.map((snapshotId, at) => {
    const size = sizes[at] ?? 1;
    return { snapshotId, size: ids.length === 1 ? grownVolumeSize(size, need) : size };
  });
}
