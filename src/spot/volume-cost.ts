import type { Ec2 } from '../ec2/api.ts';
import { isEc2Error } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { allPages } from '../ec2/pages.ts';
import type { SlaveImage } from './image.ts';
import type { VolumeCost } from './launch.ts';
import { blockDevices } from './launch-template.ts';
import { type SlaveVolume, volumesPerHour } from './list-prices.ts';

/**
 * Finds what the volumes of a slave cost: those of the image, and one of each data snapshot. The size of a snapshot never
 * changes, so EC2 is asked for it once. A call that fails is no reason not to launch.
 */
export function createVolumeCost(
  ec2: Ec2,
): (image: SlaveImage, snapshots: readonly string[], region: string | undefined) => Promise<VolumeCost> {
  const sizes = new Map<string, number>();

  return async (image, snapshots, region) => {
    const unsized = snapshots.filter(id => !sizes.has(id));
    try {
      if (unsized.length > 0) for (const [id, size] of await snapshotSizes(ec2, unsized)) sizes.set(id, size);
    } catch (error) {
      if (!isEc2Error(error)) throw error;
      return { unknown: explain(error) };
    }
    const volumes: SlaveVolume[] = [];
    for (const { DeviceName: device = '', Ebs } of blockDevices(image, snapshots)) {
      const id = Ebs?.SnapshotId;
      const size = id === undefined ? image.volumes?.[device]?.size : sizes.get(id);
      const type = Ebs?.VolumeType ?? image.volumes?.[device]?.type ?? '';
      if (size === undefined) return { unknown: `EC2 does not say the size of ${id ?? device}` };
      volumes.push({ size, type });
    }
    return { perHour: volumesPerHour(volumes, region) };
  };
}

async function snapshotSizes(
  ec2: Ec2,
  ids: readonly string[],
): Promise<readonly (readonly [string, number])[]> {
  const shown = await allPages(
    'DescribeSnapshots',
    token => ec2('DescribeSnapshots', { SnapshotIds: [...ids], ...token }),
    page => page.Snapshots,
  );
  return shown.flatMap(({ SnapshotId, VolumeSize }) =>
    SnapshotId !== undefined && VolumeSize !== undefined ? [[SnapshotId, VolumeSize] as const] : [],
  );
}
