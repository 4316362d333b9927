import type { CreateSnapshotsRequest, Snapshot } from '@aws-sdk/client-ec2';
import { type Clock, HOUR, MINUTE, SECOND } from '../../clock.ts';
import type { Ec2 } from '../../ec2/api.ts';
import { isNoSuch, isPassing, unless, unlessGone } from '../../ec2/errors.ts';
import { failure } from '../../errors.ts';
import { SYNC_TAG, tagged, tagValue } from '../../spot/tags.ts';
import { ofAnyRun, ofRun, type Run, runTags } from '../../staging/run.ts';
import type { Tools } from '../../staging/tools.ts';
import type { DataVolume } from '../volumes/volumes.ts';

/** On each snapshot of a set: the volumes that the whole set is of, in the order of their devices, space-delimited. */
const SET_TAG = 'gbrowse-aws-balancer:set';

/** The snapshots that one sync has made: of all data volumes, of one moment. */
export type SnapshotSet = {
  /** The id of the sync's run. */
  readonly run: string;
  /** In the order of the devices. */
  readonly ids: readonly string[];
  /** Wall clock ms. */
  readonly madeAt: number;
  /** All of it is there and can be used. */
  readonly isComplete: boolean;
  /** It will be complete without further calls. */
  readonly isUnderWay: boolean;
  /** The size of each volume, GiB. */
  readonly sizes: readonly number[];
};

const POLL_INTERVAL = 2 * SECOND;
/** How long EC2 may take to show what it has made. */
const SHOWN_AFTER = 10 * SECOND;
/** The first snapshot of a volume of some terabytes takes hours. */
const COMPLETE_LIMIT = 48 * HOUR;
/** How long a broken network and EC2's rates (one snapshot of a volume in 15 seconds) may delay the call. */
const CREATE_LIMIT = 10 * MINUTE;

/**
 * Takes the snapshots of all data volumes at one moment. CreateSnapshots has no ClientToken: when its answer is lost, its
 * snapshots are searched for before it is called again.
 *
 * @param excluded volumes of the instance that are no data of ours
 * @throws {Ec2Error}
 */
export async function createSnapshots(
  { ec2, ec2Once, clock, signal }: Pick<Tools, 'ec2' | 'ec2Once' | 'clock' | 'signal'>,
  run: Run,
  instanceId: string,
  volumes: readonly DataVolume[],
  excluded: readonly string[],
): Promise<readonly string[]> {
  const name = `GBrowse data of ${run.master}, ${new Date(clock.wall()).toISOString().slice(0, 16).replace('T', ' ')}`;
  const tags = [...runTags(run, name), { Key: SET_TAG, Value: volumes.map(it => it.volumeId).join(' ') }];
  const request: CreateSnapshotsRequest = {
    InstanceSpecification: {
      InstanceId: instanceId,
      ExcludeBootVolume: true,
      ...(excluded.length > 0 && { ExcludeDataVolumeIds: [...excluded] }),
    },
    Description: name,
    TagSpecifications: [tagged('snapshot', tags)],
  };
  const until = clock.monotonic() + CREATE_LIMIT;
  for (;;) {
    try {
      const made = await ec2Once('CreateSnapshots', request, { signal });
      return inDeviceOrder(made.Snapshots ?? [], volumes);
    } catch (error) {
      if (signal.aborted || !isPassing(error) || clock.monotonic() >= until) throw error;
      await clock.sleep(SHOWN_AFTER, signal);
      const found = await snapshotsOf(ec2, run);
      if (found.length >= volumes.length) return inDeviceOrder(found, volumes);
    }
  }
}

function inDeviceOrder(
  snapshots: readonly { readonly SnapshotId?: string | undefined; readonly VolumeId?: string | undefined }[],
  volumes: readonly DataVolume[],
): readonly string[] {
  return volumes.map(({ volumeId }) => {
    const id = snapshots.find(it => it.VolumeId === volumeId)?.SnapshotId;
    if (id === undefined) throw failure(`EC2 has made snapshots, but none of ${volumeId}`);
    return id;
  });
}

async function snapshotsOf(ec2: Ec2, run: Run): Promise<readonly Snapshot[]> {
  const answer = await ec2('DescribeSnapshots', { OwnerIds: ['self'], Filters: ofRun(run) });
  return answer.Snapshots ?? [];
}

/**
 * Waits until snapshots are complete.
 *
 * @param onProgress called with the percentage that EBS reports
 * @throws {UserError} when one fails
 */
export async function untilComplete(
  ec2: Ec2,
  ids: readonly string[],
  onProgress: (percent: number) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + COMPLETE_LIMIT;
  while (clock.monotonic() < until) {
    // A snapshot that was just made may not be shown yet.
    const answer = await unlessGone(ec2('DescribeSnapshots', { SnapshotIds: [...ids] }));
    const found = answer?.Snapshots ?? [];
    const failed = found.find(it => it.State === 'error');
    if (failed !== undefined) {
      throw failure(
        `EBS could not complete ${failed.SnapshotId}: ${failed.StateMessage ?? 'it does not say why'}; run sync again`,
      );
    }
    if (found.length === ids.length && found.every(it => it.State === 'completed')) return;
    onProgress(Math.min(100, ...found.map(it => Number.parseInt(it.Progress ?? '0', 10) || 0)));
    await clock.sleep(POLL_INTERVAL, signal);
  }
  throw failure(`the snapshots ${ids.join(' ')} were not complete within ${COMPLETE_LIMIT / HOUR} hours`);
}

/** This master's sets, the newest first. */
export async function findSets(ec2: Ec2, master: string): Promise<readonly SnapshotSet[]> {
  const answer = await ec2('DescribeSnapshots', { OwnerIds: ['self'], Filters: ofAnyRun(master) });
  const byRun = Map.groupBy(answer.Snapshots ?? [], it => tagValue(it.Tags, SYNC_TAG) ?? '');
  return [...byRun].map(([run, snapshots]) => setOf(run, snapshots)).toSorted((a, b) => b.madeAt - a.madeAt);
}

function setOf(run: string, snapshots: readonly Snapshot[]): SnapshotSet {
  const volumes = (tagValue(snapshots[0]?.Tags, SET_TAG) ?? '').split(' ');
  const place = ({ VolumeId = '' }: Snapshot) => volumes.indexOf(VolumeId);
  const sorted = snapshots.toSorted((a, b) => place(a) - place(b));
  const whole = volumes.every(volume => sorted.some(it => it.VolumeId === volume));
  return {
    run,
    ids: sorted.flatMap(it => it.SnapshotId ?? []),
    madeAt: Math.max(...sorted.map(it => it.StartTime?.getTime() ?? 0)),
    isComplete: whole && sorted.every(it => it.State === 'completed'),
    isUnderWay: whole && sorted.every(it => it.State === 'completed' || it.State === 'pending'),
    sizes: sorted.map(it => it.VolumeSize ?? 0),
  };
}

/**
 * The sizes (GiB) of snapshots.
 *
 * @returns undefined when one of them is not there, or not complete
 */
export async function sizesOf(ec2: Ec2, ids: readonly string[]): Promise<readonly number[] | undefined> {
  const answer = await unless(isNoSuch, ec2('DescribeSnapshots', { SnapshotIds: [...ids] }));
  const found = answer?.Snapshots ?? [];
  const sizes = ids.flatMap(
    id => found.find(it => it.SnapshotId === id && it.State === 'completed')?.VolumeSize ?? [],
  );
  return sizes.length === ids.length ? sizes : undefined;
}

/** Deletes the snapshots of a set; what is gone already is no error. */
export async function deleteSet(ec2: Ec2, set: Pick<SnapshotSet, 'ids'>): Promise<void> {
  for (const SnapshotId of set.ids) await unlessGone(ec2('DeleteSnapshot', { SnapshotId }));
}

/** Deletes whatever snapshots a run has made. */
export async function deleteSnapshotsOf(ec2: Ec2, run: Run): Promise<void> {
  const ids = (await snapshotsOf(ec2, run)).flatMap(it => it.SnapshotId ?? []);
  await deleteSet(ec2, { ids });
}
