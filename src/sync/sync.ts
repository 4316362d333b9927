import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, MINUTE } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { CONFIG_FILES } from '../config/locate.ts';
import type { Ec2 } from '../ec2/api.ts';
import { patient } from '../ec2/retry.ts';
import { failure, messageOf, usageError } from '../errors.ts';
import { findDatabases } from '../master/databases.ts';
import type { Site } from '../master/site.ts';
import { findImage } from '../spot/image.ts';
import { findPlacements } from '../spot/network.ts';
import { vpcOfGroup } from '../spot/security-group.ts';
import { createPhases, type Phases, phaseTable } from '../staging/phases.ts';
import type { Report } from '../staging/report.ts';
import { lockSync, removeEarlier } from './alone.ts';
import { type Present, presentIn, updateConfigFile } from './conf-file.ts';
import { describePlan, type SyncPlan, warningsOf } from './plan/describe.ts';
import { measure } from './plan/measure.ts';
import { findTrees, type Wanted } from './plan/trees.ts';
import { grownVolumeSize, needOf, newVolumeSize } from './plan/volume-size.ts';
import { readSmall } from './read-small.ts';
import { type Base, baseOf, outdated } from './snapshots/retention.ts';
import { deleteSet, findSets, sizesOf, untilComplete } from './snapshots/snapshots.ts';
import { stageData } from './stage.ts';
import { devicesOf, type VolumePlan } from './volumes/volumes.ts';

/** What a sync is asked to do. */
export type SyncOrder = {
  readonly config: Config;
  readonly site: Site;
  readonly region: string;
  readonly mysql?: string;
  readonly postgres?: string;
  /** How many sets of snapshots are kept. */
  readonly keep: number;
  readonly dryRun: boolean;
};

/** What it works with. */
export type SyncTools = {
  /** One attempt a call. */
  readonly ec2: Ec2;
  readonly clock: Clock;
  readonly report: Report;
  /** Aborts when somebody wants it to end. */
  readonly signal: AbortSignal;
  /** The master's address as EC2 sees it, where nothing else says it. */
  findAddress(): Promise<string>;
};

/**
 * Copies the master's data into EBS snapshots, and writes their ids into the configuration file.
 *
 * @throws {UserError}
 * @throws {Ec2Error}
 */
export async function sync(order: SyncOrder, tools: SyncTools): Promise<void> {
  const { clock, report, signal } = tools;
  const start = clock.monotonic();
  const phases = createPhases(clock);
  const ec2 = patient(tools.ec2, clock, signal);
  const { config, site } = order;
  const lock = order.dryRun ? undefined : await lockSync(site.name, clock.wall());
  try {
    const before = presentIn(await readFile(config.file, 'latin1'));
    const { plan, rootDevice } = await phases.time('plan', () => planOf(order, ec2, signal));
    for (const line of warningsOf(plan.trees)) report.warn(line);
    report.say(describePlan(plan));
    assertReadable(plan, order.dryRun ? report : undefined);
    if (order.dryRun) return report.say('Nothing was done (--dry-run).');

    await phases.time('leftovers of earlier syncs', () => removeEarlier(ec2, site.name, clock, report));
    const ready = await untilUsable(plan, ec2, tools, phases);
    const run = { master: site.name, id: randomBytes(6).toString('hex') };
    const placements = await findPlacements(ec2, site, await groupVpc(order, ec2));
    const snapshots = await stageData({
      run,
      plan: ready,
      launch: {
        imageId: plan.imageId,
        rootDevice,
        imageDevices: await devicesOf(ec2, plan.imageId),
        instanceTypes: config.slave.instanceTypes,
        placements,
        reach: site.reach,
        admitted: site.address ?? (await tools.findAddress()),
        login: config.slave.sshUser,
        orphanTimeout: config.slave.orphanTimeout,
        connectLimit: Math.max(config.slave.bootTimeout, 5 * MINUTE),
      },
      ec2,
      tools,
      phases,
    });
    await conclude(order, before, plan, snapshots, ec2, tools, phases);
    report.say(`What took how long:\n${phaseTable(phases.list(), clock.monotonic() - start)}`);
  } finally {
    lock?.release();
  }
}

async function planOf(
  order: SyncOrder,
  ec2: Ec2,
  signal: AbortSignal,
): Promise<{ readonly plan: SyncPlan; readonly rootDevice: string | undefined }> {
  const { config, site, region } = order;
  const trees = await findTrees(await wantedOf(order));
  const sizes = await Promise.all(trees.map(tree => measure(tree, trees, signal)));
  const [image, sets, configuredSizes] = await Promise.all([
    findImage(ec2, site.image, config.slave.imageOwners),
    findSets(ec2, site.name),
    sizesOf(ec2, config.slave.dataSnapshots),
  ]);
  const base = baseOf({ ids: config.slave.dataSnapshots, sizes: configuredSizes }, sets);
  return {
    plan: {
      trees: trees.map((tree, at) => ({ tree, size: sizeAt(sizes, at) })),
      base,
      volumes: volumesOf(base, needOf(sizes)),
      imageId: image.imageId,
      instanceTypes: config.slave.instanceTypes,
      region,
    },
    rootDevice: image.root?.DeviceName,
  };
}

function sizeAt<T>(sizes: readonly T[], at: number): T {
  const size = sizes[at];
  if (size === undefined) throw new Error(`tree ${at} was not measured`);
  return size;
}

async function wantedOf({ config, mysql, postgres }: SyncOrder): Promise<readonly Wanted[]> {
  const own = config.master.databases;
  const databases = own ?? (await findDatabases());
  const wanted: Wanted[] = [];
  if (databases !== undefined) {
    wanted.push({ kind: 'databases', directory: databases, from: `${config.file}: [MASTER] databases` });
  }
  if (mysql !== undefined) wanted.push({ kind: 'mysql', directory: mysql, from: '--mysql' });
  if (postgres !== undefined) wanted.push({ kind: 'postgresql', directory: postgres, from: '--postgres' });
  if (databases === undefined) {
    throw usageError(
      `${config.file}: GBrowse's databases directory is in none of the usual places; name it in [MASTER] databases`,
    );
  }
  return wanted;
}

function volumesOf(base: Base, need: ReturnType<typeof needOf>): readonly VolumePlan[] {
  if (base.kind === 'new') return [{ size: newVolumeSize(need) }];
  const { ids, sizes } = base.kind === 'configured' ? base : base.set;
  // Of several it shows only on the machine which one is full.
  return ids.map((snapshotId, at) => {
    const size = sizes[at] ?? 1;
    return { snapshotId, size: ids.length === 1 ? grownVolumeSize(size, need) : size };
  });
}

/** What cannot be read cannot be copied; a dry run only says so. */
function assertReadable({ trees }: SyncPlan, report: Report | undefined): void {
  const unreadable = trees.flatMap(({ size }) => size.unreadable);
  if (unreadable.length === 0) return;
  const message = `${unreadable.join(', ')} cannot be read by this user; run sync as root`;
  if (report === undefined) throw failure(message);
  report.warn(message);
}

/** Snapshots that are still being completed are waited for. */
async function untilUsable(plan: SyncPlan, ec2: Ec2, tools: SyncTools, phases: Phases): Promise<SyncPlan> {
  const { base } = plan;
  if (base.kind !== 'unwritten' || base.set.isComplete) return plan;
  tools.report.say(
    `Waiting until EBS has completed ${base.set.ids.join(' ')}, which an earlier sync has made`,
  );
  const show = (percent: number) => tools.report.progress(`${percent} % of the snapshot is stored`);
  await phases.time('snapshots of an earlier sync', () =>
    untilComplete(ec2, base.set.ids, show, tools.clock, tools.signal),
  );
  return plan;
}

async function groupVpc({ config }: SyncOrder, ec2: Ec2): Promise<string | undefined> {
  const group = config.slave.securityGroup;
  return group === undefined ? undefined : await vpcOfGroup(ec2, group);
}

/** The snapshots are complete: the configuration names them, and what is too old goes. */
async function conclude(
  order: SyncOrder,
  before: Present,
  { imageId }: SyncPlan,
  snapshots: readonly string[],
  ec2: Ec2,
  { report }: SyncTools,
  phases: Phases,
): Promise<void> {
  const { config, site, keep } = order;
  report.say(`data stored in snapshot(s) ${snapshots.join(' ')}`);
  const namesImage = before.image_id !== '' && !before.image_id.startsWith('ami-');
  const backup = await updateConfigFile(config.file, before, {
    dataSnapshots: snapshots,
    ...(namesImage && { imageId }),
  });
  report.say(`updated conf file, previous version in ${backup}`);
  report.say('A running balancer sees that, and replaces slaves with old data one after another.');
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
