import { MINUTE } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { patient } from '../ec2/retry.ts';
import { messageOf } from '../errors.ts';
import { duration } from '../format/durations.ts';
import type { Placement } from '../spot/network.ts';
import { markAlive } from '../spot/tags.ts';
import { endStaging, launchStaging, type Run, removeGroups, type Staging } from '../staging/instance.ts';
import { type Keys, makeKeys } from '../staging/keys.ts';
import type { Phases } from '../staging/phases.ts';
import { openSsh, type Ssh } from '../staging/ssh.ts';
import { STAY, stagingUserData } from '../staging/user-data.ts';
import { nowAndThen } from './alone.ts';
import { fillVolumes } from './fill.ts';
import type { SyncPlan } from './plan/describe.ts';
import { deleteSnapshotsOf, untilComplete } from './snapshots/snapshots.ts';
import type { SyncTools } from './sync.ts';
import { stagingDevices } from './volumes/volumes.ts';

/** What the staging instance is launched with. */
export type Launch = {
  readonly imageId: string;
  readonly rootDevice: string | undefined;
  /** Those of the image's own volumes. */
  readonly imageDevices: readonly string[];
  readonly instanceTypes: readonly string[];
  readonly placements: readonly Placement[];
  readonly reach: 'private' | 'public';
  readonly admitted: string;
  readonly login: string;
  /** ms. */
  readonly orphanTimeout: number;
  /** How long (ms) the first connection is waited for. */
  readonly connectLimit: number;
};

/** A copy to be made. */
export type Stage = {
  readonly run: Run;
  readonly plan: SyncPlan;
  readonly launch: Launch;
  /** Waits for what passes by itself. */
  readonly ec2: Ec2;
  readonly tools: SyncTools;
  readonly phases: Phases;
};

/** How long (ms) the clean-up tries: it must not hang for ever on a network that is gone. */
const CLEANUP_PATIENCE = 2 * MINUTE;
const SIGN_OF_LIFE = 5 * MINUTE;

/**
 * Copies the trees onto volumes of a staging instance and takes their snapshots; nothing else is left in EC2, whatever
 * happens.
 *
 * @returns the snapshots, complete
 */
export async function stageData(stage: Stage): Promise<readonly string[]> {
  const { run, tools } = stage;
  const cleaner = patient(tools.ec2, tools.clock, undefined, CLEANUP_PATIENCE);
  const keys = await makeKeys();
  try {
    return await stageWith(stage, keys, cleaner);
  } catch (error) {
    tools.report.say('Removing what was made in EC2');
    try {
      await endStaging(cleaner, run);
      await deleteSnapshotsOf(cleaner, run);
      await removeGroups(cleaner, run, tools.clock);
    } catch (second) {
      tools.report.warn(
        `what was made in EC2 could not be removed (${messageOf(second)}); "gbrowse-aws-balancer gc --yes" or the next sync removes it`,
      );
    }
    throw error;
  } finally {
    await keys.remove();
  }
}

async function stageWith(stage: Stage, keys: Keys, cleaner: Ec2): Promise<readonly string[]> {
  const { run, plan, launch, ec2, tools, phases } = stage;
  const { clock, report, signal } = tools;
  report.say(`Launching a staging instance (${plan.imageId})`);
  const staging = await phases.time('launch the staging instance', () =>
    launchStaging(
      ec2,
      run,
      {
        ...launch,
        devices: stagingDevices(launch.imageDevices, plan.volumes),
        userData: stagingUserData(keys, launch.login, launch.orphanTimeout),
      },
      clock,
      signal,
    ),
  );
  report.say(`  ${staging.instanceId}, ${staging.instanceType}, at ${staging.address}`);
  const ssh = await openSsh(keys, staging.address, launch.login, clock);
  const living = new AbortController();
  let snapshots: readonly string[];
  try {
    await phases.time('first connection', () => ssh.connect(launch.connectLimit, signal));
    stayAlive(stage, ssh, staging, living.signal);
    snapshots = await fillVolumes(stage, ssh, staging);
  } finally {
    living.abort();
    await ssh.close();
  }
  return await finishSnapshots(stage, snapshots, cleaner);
}

/** As long as we work, the machine does not power itself off, and nobody takes it for a leftover. */
function stayAlive(
  { ec2, launch, tools: { clock } }: Stage,
  ssh: Ssh,
  staging: Staging,
  signal: AbortSignal,
): void {
  const often = Math.min(MINUTE, launch.orphanTimeout / 4);
  void nowAndThen(often, () => ssh.script(STAY, { signal }), clock, signal);
  void nowAndThen(SIGN_OF_LIFE, () => markAlive(ec2, [staging.instanceId], clock.wall()), clock, signal);
}

/** The snapshots are as of one moment from the answer on, so the staging instance may go while EBS stores them. */
async function finishSnapshots(
  { run, ec2, tools, phases }: Stage,
  ids: readonly string[],
  cleaner: Ec2,
): Promise<readonly string[]> {
  const { clock, report, signal } = tools;
  await endStaging(cleaner, run);
  const living = new AbortController();
  try {
    void nowAndThen(SIGN_OF_LIFE, () => markAlive(ec2, ids, clock.wall()), clock, living.signal);
    const start = clock.monotonic();
    const show = (percent: number) =>
      report.progress(
        `${percent} % of the snapshot is stored, ${duration(clock.monotonic() - start)} so far`,
      );
    await phases.time('until the snapshot is complete', () => untilComplete(ec2, ids, show, clock, signal));
  } finally {
    living.abort();
  }
  await phases.time('remove the staging instance', () => removeGroups(cleaner, run, clock));
  return ids;
}
