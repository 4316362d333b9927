import type { BlockDeviceMapping, Volume } from '@aws-sdk/client-ec2';
import { type Clock, MINUTE, SECOND } from '../../clock.ts';
import type { Ec2 } from '../../ec2/api.ts';
import { isBeingModified, isModifiedTooSoon } from '../../ec2/errors.ts';
import { failure } from '../../errors.ts';
import { ofRun, type Run } from '../../staging/run.ts';

/** A planned data volume: from a snapshot, or new. */
export type VolumePlan = { readonly snapshotId?: string /** GiB */; readonly size: number };

/** A data volume of the staging instance. */
export type DataVolume = {
  readonly volumeId: string;
  /** As the mapping names it: `/dev/sdg`. */
  readonly device: string;
  /** GiB. */
  readonly size: number;
  readonly isNew: boolean;
};

/** The same devices as the slaves': data volumes from /dev/sdg on. */
function deviceOf(index: number): string {
  return `/dev/sd${String.fromCharCode('g'.charCodeAt(0) + index)}`;
}

/** The devices of an image's own volumes, its root among them. */
export async function devicesOf(ec2: Ec2, imageId: string): Promise<readonly string[]> {
  const [image] = (await ec2('DescribeImages', { ImageIds: [imageId] })).Images ?? [];
  return (image?.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) =>
    DeviceName === undefined || Ebs === undefined ? [] : [DeviceName],
  );
}

/**
 * The block devices of the staging instance; all of them end with it, whatever the image says of its own. Where the image
 * has a volume in the place of one of the data, that one is meant to be replaced, here as on the slaves.
 */
export function stagingDevices(own: readonly string[], volumes: readonly VolumePlan[]): BlockDeviceMapping[] {
  const data = volumes.map(({ snapshotId, size }, index) => ({
    DeviceName: deviceOf(index),
    Ebs: {
      DeleteOnTermination: true,
      VolumeType: 'gp3' as const,
      VolumeSize: size,
      ...(snapshotId !== undefined && { SnapshotId: snapshotId }),
    },
  }));
  const kept = own.filter(device => !data.some(it => it.DeviceName === device));
  return [...kept.map(DeviceName => ({ DeviceName, Ebs: { DeleteOnTermination: true } })), ...data];
}

const POLL_INTERVAL = SECOND;
const ATTACH_LIMIT = 5 * MINUTE;
const MODIFY_LIMIT = 30 * MINUTE;

/** Waits until the data volumes are attached; in the order of their devices. */
export async function dataVolumes(
  ec2: Ec2,
  run: Run,
  plans: readonly VolumePlan[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly DataVolume[]> {
  const until = clock.monotonic() + ATTACH_LIMIT;
  for (;;) {
    const found = (await ec2('DescribeVolumes', { Filters: ofRun(run) })).Volumes ?? [];
    const volumes = plans.flatMap((plan, index) => attached(found, deviceOf(index), plan) ?? []);
    if (volumes.length === plans.length) return volumes;
    if (clock.monotonic() >= until) {
      throw failure(
        `the data volumes of the staging instance were not attached within ${ATTACH_LIMIT / MINUTE} minutes`,
      );
    }
    await clock.sleep(POLL_INTERVAL, signal);
  }
}

function attached(found: readonly Volume[], device: string, plan: VolumePlan): DataVolume | undefined {
  const volume = found.find(it =>
    it.Attachments?.some(at => at.Device === device && at.State === 'attached'),
  );
  if (volume?.VolumeId === undefined) return undefined;
  return {
    volumeId: volume.VolumeId,
    device,
    size: volume.Size ?? plan.size,
    isNew: plan.snapshotId === undefined,
  };
}

/** The volumes of the staging instance that hold no data of ours (the image's own), its root apart. */
export async function foreignVolumes(
  ec2: Ec2,
  run: Run,
  ours: readonly DataVolume[],
  rootDevice: string | undefined,
): Promise<readonly string[]> {
  const found = (await ec2('DescribeVolumes', { Filters: ofRun(run) })).Volumes ?? [];
  return found.flatMap(({ VolumeId, Attachments }) => {
    const isRoot = Attachments?.some(it => it.Device === rootDevice) ?? false;
    const isOurs = ours.some(it => it.volumeId === VolumeId);
    return VolumeId === undefined || isRoot || isOurs ? [] : [VolumeId];
  });
}

/**
 * Makes a volume larger (GiB) while it is in use, and waits until the instance may use the room.
 *
 * @throws {UserError} when EBS does not let it, now
 */
export async function enlarge(
  ec2: Ec2,
  volume: DataVolume,
  size: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<DataVolume> {
  try {
    await ec2('ModifyVolume', { VolumeId: volume.volumeId, Size: size });
  } catch (error) {
    if (isModifiedTooSoon(error)) {
      throw failure(
        `${volume.volumeId} was made larger within the last six hours already, and EBS allows no more; run sync again, with a new volume that is large enough from the start`,
        { cause: error },
      );
    }
    // The answer to a first call may have been lost.
    if (!isBeingModified(error)) throw error;
  }
  const until = clock.monotonic() + MODIFY_LIMIT;
  while (clock.monotonic() < until) {
    const answer = await ec2('DescribeVolumesModifications', { VolumeIds: [volume.volumeId] });
    const latest = answer.VolumesModifications?.find(it => it.TargetSize === size);
    // "optimizing" goes on for hours, with the new size in use.
    if (latest?.ModificationState === 'optimizing' || latest?.ModificationState === 'completed') {
      return { ...volume, size };
    }
    if (latest?.ModificationState === 'failed') {
      throw failure(
        `${volume.volumeId} could not be made larger: ${latest.StatusMessage ?? 'EBS does not say why'}`,
      );
    }
    await clock.sleep(POLL_INTERVAL, signal);
  }
  throw failure(`${volume.volumeId} has not become larger within ${MODIFY_LIMIT / MINUTE} minutes`);
}
