import type {
  CreateSnapshotsRequest,
  CreateSnapshotsResult,
  DeleteSnapshotRequest,
  DescribeSnapshotsRequest,
  DescribeSnapshotsResult,
  SnapshotInfo,
  SnapshotState,
} from '@aws-sdk/client-ec2';
import { draw } from '../../../src/simulate/random.ts';
import type { Account, Snapshot } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { ROOT_DEVICE } from './images-and-subnets.ts';
import { findInstances } from './instances.ts';
import { pageOf } from './paging.ts';
import { onlyServed, Refusal } from './refusal.ts';
import { readTagSpecifications, type Tags, tagsAt, toSdkTags } from './tags.ts';

/** A snapshot as it was `lag` ago. */
type Seen = {
  readonly snapshot: Snapshot;
  readonly sequence: number;
  readonly state: SnapshotState;
  readonly tags: Tags;
};

const FIELDS: Fields<Seen> = {
  'snapshot-id': it => it.snapshot.id,
  status: it => it.state,
  'volume-id': it => it.snapshot.volumeId,
  'owner-id': it => it.snapshot.owner,
};

export function describeSnapshots(
  account: Account,
  request: DescribeSnapshotsRequest,
): DescribeSnapshotsResult {
  const { SnapshotIds, OwnerIds } = request;
  for (const id of SnapshotIds ?? []) findSnapshot(account, id);
  const owners = OwnerIds?.map(owner => (owner === 'self' ? account.settings.accountId : owner));
  const matches = passes('DescribeSnapshots', request.Filters, FIELDS);
  const shown = [...account.snapshots.values()]
    .filter(it => SnapshotIds?.includes(it.id) ?? account.now() - it.lag >= it.bornAt)
    .filter(it => owners?.includes(it.owner) ?? true)
    .map(it => seenNow(account, it))
    .filter(matches);
  const { items, next } = pageOf(shown, request);
  return {
    Snapshots: items.map(({ snapshot, state, tags }) => ({
      SnapshotId: snapshot.id,
      State: state,
      Progress: state === 'completed' ? '100%' : '0%',
      StartTime: new Date(snapshot.bornAt),
      VolumeSize: snapshot.size,
      VolumeId: snapshot.volumeId ?? 'vol-ffffffff',
      OwnerId: snapshot.owner,
      Tags: toSdkTags(tags),
    })),
    ...next,
  };
}

/** One snapshot of each volume of an instance, of the same moment; each takes its time to be complete. */
export function createSnapshots(account: Account, request: CreateSnapshotsRequest): CreateSnapshotsResult {
  const specification = request.InstanceSpecification;
  onlyServed('InstanceSpecification', specification, [
    'InstanceId',
    'ExcludeBootVolume',
    'ExcludeDataVolumeIds',
  ]);
  const { InstanceId = '', ExcludeBootVolume = false, ExcludeDataVolumeIds = [] } = specification ?? {};
  const [instance] = findInstances(account, [InstanceId]);
  const tags = readTagSpecifications(request.TagSpecifications, ['snapshot']).get('snapshot') ?? new Map();
  const volumes = (instance?.volumes ?? [])
    .filter(it => !(ExcludeBootVolume && it.deviceName === ROOT_DEVICE))
    .filter(it => !ExcludeDataVolumeIds.includes(it.id));
  const Snapshots = volumes.map((volume): SnapshotInfo => {
    const resource = account.newResource('snap', tags);
    const completedAt = resource.bornAt + draw(account.random, account.settings.snapshotTime);
    const owner = account.settings.accountId;
    const snapshot = { ...resource, size: volume.size, volumeId: volume.id, owner, completedAt };
    account.snapshots.set(snapshot.id, snapshot);
    return {
      SnapshotId: snapshot.id,
      VolumeId: volume.id,
      VolumeSize: volume.size,
      State: 'pending',
      Progress: '',
      StartTime: new Date(snapshot.bornAt),
      OwnerId: owner,
      Tags: toSdkTags(tags),
    };
  });
  return { Snapshots };
}

/** Deletes a snapshot, a pending one too; not one that an image starts from. */
export function deleteSnapshot(account: Account, { SnapshotId: id = '' }: DeleteSnapshotRequest): unknown {
  const snapshot = findSnapshot(account, id);
  const image = account.settings.images.find(it => it.rootSnapshot === id);
  if (snapshot.owner !== account.settings.accountId)
    throw new Refusal('AuthFailure', `Not authorized for snapshots: ${id}`);
  if (image !== undefined)
    throw new Refusal('InvalidSnapshot.InUse', `The snapshot ${id} is currently in use by ${image.id}`);
  account.snapshots.delete(id);
  return {};
}

/** @throws {Refusal} as EC2 does for an id that is not there */
export function findSnapshot(account: Account, id: string): Snapshot {
  const snapshot = account.snapshots.get(id);
  if (snapshot === undefined)
    throw new Refusal('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  return snapshot;
}

function seenNow(account: Account, snapshot: Snapshot): Seen {
  const moment = account.now() - snapshot.lag;
  return {
    snapshot,
    sequence: snapshot.sequence,
    state: moment >= snapshot.completedAt ? 'completed' : 'pending',
    tags: tagsAt(snapshot.tags, moment),
  };
}
