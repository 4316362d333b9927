import type {
  DeleteVolumeRequest,
  DescribeVolumesRequest,
  DescribeVolumesResult,
  VolumeState,
  VolumeType,
} from '@aws-sdk/client-ec2';
import type { Account, Instance, Volume } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { stateAt } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import { Refusal } from './refusal.ts';
import { type Tags, tagsAt, toSdkTags } from './tags.ts';

/** A volume as it was `lag` ago, with the instance that it was attached to then. */
type Seen = {
  readonly volume: Volume;
  readonly instance: Instance | undefined;
  readonly sequence: number;
  readonly tags: Tags;
};

const FIELDS: Fields<Seen> = {
  'volume-id': it => it.volume.id,
  status: stateOf,
  'volume-type': it => it.volume.type,
  'snapshot-id': it => it.volume.snapshotId,
  'attachment.instance-id': it => it.instance?.id,
  'attachment.delete-on-termination': it => it.instance && String(it.volume.deleteOnTermination),
};

export function describeVolumes(account: Account, request: DescribeVolumesRequest): DescribeVolumesResult {
  const now = account.now();
  const shown = allOf(account).flatMap(([volume, instance]) => seenAt(now - volume.lag, volume, instance));
  const asked = request.VolumeIds?.map(id => {
    const seen = shown.find(it => it.volume.id === id);
    if (seen === undefined) throw notThere(id);
    return seen;
  });
  const matches = passes('DescribeVolumes', request.Filters, FIELDS);
  const { items, next } = pageOf(
    (asked ?? shown).filter(matches).toSorted((a, b) => a.sequence - b.sequence),
    request,
  );
  return {
    Volumes: items.map(seen => {
      const { volume, instance, tags } = seen;
      const at = new Date(volume.bornAt);
      return {
        VolumeId: volume.id,
        State: stateOf(seen),
        Size: volume.size,
        VolumeType: volume.type as VolumeType,
        SnapshotId: volume.snapshotId ?? '',
        CreateTime: at,
        Attachments:
          instance === undefined
            ? []
            : [
                {
                  InstanceId: instance.id,
                  VolumeId: volume.id,
                  Device: volume.deviceName,
                  State: 'attached' as const,
                  AttachTime: at,
                  DeleteOnTermination: volume.deleteOnTermination,
                },
              ],
        Tags: toSdkTags(tags),
      };
    }),
    ...next,
  };
}

export function deleteVolume(account: Account, { VolumeId: id = '' }: DeleteVolumeRequest): unknown {
  const now = account.now();
  const [it] = allOf(account)
    .filter(([volume]) => volume.id === id)
    .flatMap(([volume, instance]) => seenAt(now, volume, instance));
  if (it === undefined) throw notThere(id);
  if (it.instance !== undefined)
    throw new Refusal('VolumeInUse', `Volume ${id} is currently attached to ${it.instance.id}`);
  it.volume.deletedAt = now;
  return {};
}

function allOf(account: Account): (readonly [Volume, Instance | undefined])[] {
  const left = Array.from(account.leftVolumes.values(), volume => [volume, undefined] as const);
  const attached = [...account.instances.values()].flatMap(instance =>
    instance.volumes.map(volume => [volume, instance] as const),
  );
  return [...left, ...attached];
}

function seenAt(moment: number, volume: Volume, instance: Instance | undefined): Seen[] {
  if (moment < volume.bornAt || (volume.deletedAt ?? Number.POSITIVE_INFINITY) <= moment) return [];
  const isFree = instance === undefined || stateAt(instance, moment) === 'terminated';
  if (isFree && instance !== undefined && volume.deleteOnTermination) return [];
  return [
    {
      volume,
      instance: isFree ? undefined : instance,
      sequence: volume.sequence,
      tags: tagsAt(volume.tags, moment),
    },
  ];
}

function stateOf({ instance }: Seen): VolumeState {
  return instance === undefined ? 'available' : 'in-use';
}

function notThere(id: string): Refusal {
  return new Refusal('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
}
