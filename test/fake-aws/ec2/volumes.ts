import type { LaunchTemplateBlockDeviceMappingRequest } from '@aws-sdk/client-ec2';
import type { Account, Volume } from './account.ts';
import { ROOT_DEVICE } from './images-and-subnets.ts';
import { stateAt } from './lifecycle.ts';
import { Refusal } from './refusal.ts';
import type { ImageSettings } from './settings.ts';
import { findSnapshot } from './snapshots.ts';

/** A volume that an instance will be launched with. */
export type PlannedVolume = {
  readonly deviceName: string;
  readonly size: number;
  readonly type: string;
  readonly snapshotId?: string;
  readonly deleteOnTermination: boolean;
};

/**
 * The volumes that block device mappings ask for, and the image's own in any case.
 *
 * @throws {Refusal} for a snapshot that is not there, a volume smaller than its snapshot, a device named twice
 */
export function planVolumes(
  account: Account,
  image: ImageSettings,
  mappings: readonly LaunchTemplateBlockDeviceMappingRequest[],
): PlannedVolume[] {
  const { rootSnapshot } = image;
  const own = new Map([[ROOT_DEVICE, rootSnapshot], ...Object.entries(image.dataDevices ?? {})]);
  const volumes = new Map<string, PlannedVolume>();
  for (const { DeviceName: deviceName = '', Ebs = {} } of mappings) {
    if (volumes.has(deviceName)) {
      throw new Refusal(
        'InvalidBlockDeviceMapping',
        `The device '${deviceName}' is used in more than one block-device mapping`,
      );
    }
    const isRoot = deviceName === ROOT_DEVICE;
    const snapshotId = Ebs.SnapshotId ?? own.get(deviceName);
    const least = snapshotId === undefined ? 1 : snapshotSize(account, snapshotId);
    const size = Ebs.VolumeSize ?? (snapshotId === undefined ? 0 : least);
    if (size === 0) throw new Refusal('InvalidBlockDeviceMapping', 'ebs size or snapshot is required');
    if (size < least) {
      throw new Refusal(
        'InvalidBlockDeviceMapping',
        `Volume of size ${size}GB is smaller than snapshot '${snapshotId}', expect size >= ${least}GB`,
      );
    }
    volumes.set(deviceName, {
      deviceName,
      size,
      type: Ebs.VolumeType ?? (own.has(deviceName) ? IMAGE_VOLUME_TYPE : DEFAULT_VOLUME_TYPE),
      ...(snapshotId !== undefined && { snapshotId }),
      deleteOnTermination: Ebs.DeleteOnTermination ?? isRoot,
    });
  }
  for (const [deviceName, snapshotId] of own) {
    if (volumes.has(deviceName)) continue;
    volumes.set(deviceName, {
      deviceName,
      size: snapshotSize(account, snapshotId),
      type: IMAGE_VOLUME_TYPE,
      snapshotId,
      deleteOnTermination: deviceName === ROOT_DEVICE,
    });
  }
  return [...volumes.values()];
}

/** What the images' devices say. */
const IMAGE_VOLUME_TYPE = 'gp3';
/** Where a mapping says nothing (API reference, `EbsBlockDevice`). */
const DEFAULT_VOLUME_TYPE = 'gp2';

function snapshotSize(account: Account, id: string): number {
  const { size, completedAt } = findSnapshot(account, id);
  if (completedAt > account.now())
    throw new Refusal('IncorrectState', `Snapshot is in invalid state - pending: ${id}`);
  return size;
}

/** The volumes that exist: attached ones, and those that outlived their instance. */
export function volumesOf(account: Account): readonly Volume[] {
  const now = account.now();
  const attached = Array.from(account.instances.values(), instance =>
    stateAt(instance, now) === 'terminated'
      ? instance.volumes.filter(volume => !volume.deleteOnTermination)
      : instance.volumes,
  );
  return [...account.leftVolumes.values(), ...attached.flat()].filter(it => it.deletedAt === undefined);
}
