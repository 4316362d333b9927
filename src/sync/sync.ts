import { randomBytes } from 'node:crypto';
import { MINUTE } from '../clock.ts';
import { CONFIG_FILES } from '../config/locate.ts';
import type { Ec2 } from '../ec2/api.ts';
import { patient } from '../ec2/retry.ts';
import { failure, messageOf } from '../errors.ts';
import { duration } from '../format/durations.ts';
import { findPlacements } from '../spot/network.ts';
import { findGivenGroup } from '../spot/security-group.ts';
import { lockStaging, removeEarlier } from '../staging/alone.ts';
import { type Present, presentAt, presentIn, updateConfigFile } from '../staging/conf-file.ts';
import { createPhases, phaseTable } from '../staging/phases.ts';
import { readSmall } from '../staging/read-small.ts';
import type { Run } from '../staging/run.ts';
import { type Launch, withTemporaryInstance } from '../staging/temporary.ts';
import type { GivenTools, Tools } from '../staging/tools.ts';
import { fillVolumes } from './fill.ts';
import type { SyncOrder } from './order.ts';
import { describePlan } from './plan/describe.ts';
import { planSync, type SyncPlan } from './plan/plan.ts';
import { outdated } from './snapshots/retention.ts';
import { deleteSet, deleteSnapshotsOf, findSets, untilComplete } from './snapshots/snapshots.ts';
import { stagingDevices } from './volumes/volumes.ts';

/**
 * Copies the master's data into EBS snapshots, and writes their ids into the configuration file: `fillVolumes` does the
 * work on a staging instance; the rest prepares and finishes it.
 *
 * @throws {UserError}
 * @throws {Ec2Error}
 */
export async function sync(order: SyncOrder, given: GivenTools): Promise<void> {
  const { clock, report, signal } = given;
  const { config, site } = order;
  const phases = createPhases(clock);
  const ec2 = patient(given.ec2, clock, signal);
  const tools: Tools = { ec2, ec2Once: given.ec2, clock, report, phases, signal };
  const start = clock.monotonic();
  const lock = order.dryRun ? undefined : await lockStaging(site.name, 'sync', clock.wall());
  try {
    const before = await presentAt(config.file);
    const plan = await phases.time('plan', () => planSync(order, ec2, signal));
    for (const line of plan.warnings) report.warn(line);
    report.say(describePlan(plan));
    if (order.dryRun) return endDryRun(plan, tools);
    if (plan.problems.length > 0) throw failure(plan.problems.join('\n'));

    await phases.time('leftovers of earlier runs', () => removeEarlier(ec2, site.name, clock, report));
    await untilUsable(plan, tools);
    const snapshots = await stage(order, plan, await launchOf(order, plan, ec2, given), tools);
    await conclude(order, before, plan, snapshots, tools);
    report.say(`Time taken:\n${phaseTable(phases.list(), clock.monotonic() - start)}`);
  } finally {
    lock?.release();
  }
}

function endDryRun({ problems }: SyncPlan, { report }: Tools): void {
  for (const line of problems) report.warn(line);
  report.say('Nothing was done (--dry-run).');
}

/** Snapshots that EBS is still completing are waited for. */
async function untilUsable({ base }: SyncPlan, tools: Tools): Promise<void> {
  if (base.kind !== 'unwritten' || base.set.isComplete) return;
  const { ids } = base.set;
  tools.report.say(`Waiting until EBS has completed ${ids.join(' ')}, which an earlier sync made`);
  await tools.phases.time('snapshots of an earlier sync', () => untilStored(ids, tools));
}

async function untilStored(ids: readonly string[], tools: Tools): Promise<void> {
  const { ec2, clock, report, signal } = tools;
  const start = clock.monotonic();
  const show = (percent: number) =>
    report.progress(`${percent} % of the snapshot is stored, ${duration(clock.monotonic() - start)} so far`);
  await untilComplete(ec2, ids, show, clock, signal);
}

/** What the staging instance is launched with. */
async function launchOf(
  { config, site }: SyncOrder,
  { imageId, imageDevices, volumes, instanceTypes }: SyncPlan,
  ec2: Ec2,
  given: GivenTools,
): Promise<Launch> {
  const { securityGroup, sshUser, orphanTimeout, bootTimeout } = config.slave;
  const group = securityGroup === undefined ? undefined : await findGivenGroup(ec2, securityGroup, site.vpc);
  return {
    imageId,
    devices: stagingDevices(imageDevices, volumes),
    instanceTypes,
    placements: await findPlacements(ec2, site, group?.vpcId),
    reach: site.reach,
    admitted: site.address ?? (await given.findAddress()),
    login: sshUser,
    orphanTimeout,
    connectLimit: Math.max(bootTimeout, 5 * MINUTE),
  };
}

/**
 * Fills the volumes of a staging instance. Their snapshots are as of one moment, so it ends while EBS stores them.
 *
 * @returns the snapshots, complete
 */
async function stage(
  { site }: SyncOrder,
  plan: SyncPlan,
  launch: Launch,
  tools: Tools,
): Promise<readonly string[]> {
  const run: Run = { master: site.name, id: randomBytes(6).toString('hex') };
  const { orphanTimeout } = launch;
  return await withTemporaryInstance(run, launch, tools, {
    use: machine => fillVolumes({ run, plan, orphanTimeout, tools }, machine),
    idsOf: ids => ids,
    settle: ids => tools.phases.time('until the snapshot is complete', () => untilStored(ids, tools)),
    undo: cleaner => deleteSnapshotsOf(cleaner, run),
  });
}

/** The snapshots are complete: the configuration names them, and old ones are deleted. */
async function conclude(
  order: SyncOrder,
  before: Present,
  { imageId }: SyncPlan,
  snapshots: readonly string[],
  { ec2, report, phases }: Tools,
): Promise<void> {
  const { config, site, keep } = order;
  report.say(`data stored in snapshot(s) ${snapshots.join(' ')}`);
  const namesImage = before.image_id !== '' && !before.image_id.startsWith('ami-');
  const backup = await updateConfigFile(config.file, before, {
    dataSnapshots: snapshots,
    ...(namesImage && { imageId }),
  });
  report.say(`updated conf file, previous version in ${backup}`);
  report.say('A running balancer notices this, and replaces slaves with old data one after another.');
  await phases.time('old snapshots', async () => {
    try {
      const named = await snapshotsNamedIn([config.file, backup, ...CONFIG_FILES]);
      for (const set of outdated(await findSets(ec2, site.name), keep, named)) {
        await deleteSet(ec2, set);
        report.say(`deleted old snapshot(s) ${set.ids.join(' ')} (--keep ${keep})`);
      }
    } catch (error) {
      report.warn(`old snapshots could not be deleted: ${messageOf(error)}; the next sync tries again`);
    }
  });
}

/** Bytes. */
const MOST_CONFIGURATION = 1024 ** 2;

/** The snapshots that configuration files name; a file that cannot be read names none. */
async function snapshotsNamedIn(files: readonly string[]): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const file of new Set(files)) {
    const text = (await readSmall(file, MOST_CONFIGURATION, 'followed')) ?? '';
    for (const id of presentIn(text).data_snapshots.split(/\s+/)) named.add(id);
  }
  return named;
}
