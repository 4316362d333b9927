import { randomBytes } from 'node:crypto';
import { MINUTE } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { patient } from '../ec2/retry.ts';
import { failure, usageError } from '../errors.ts';
import { commandFailure } from '../os/command.ts';
import { findImage } from '../spot/image.ts';
import { findPlacements } from '../spot/network.ts';
import { findGivenGroup } from '../spot/security-group.ts';
import { lockStaging, removeEarlier } from '../staging/alone.ts';
import { presentAt } from '../staging/conf-file.ts';
import { createPhases, phaseTable } from '../staging/phases.ts';
import type { Run } from '../staging/run.ts';
import { type Launch, type Machine, withTemporaryInstance } from '../staging/temporary.ts';
import type { GivenTools, Tools } from '../staging/tools.ts';
import { conclude } from './conclude.ts';
import { createImage, removeImagesOf } from './images.ts';
import { prepareMachine } from './machine/prepare.ts';
import { cleanScript } from './machine/scripts.ts';
import { tryOut } from './machine/trial.ts';
import type { ImageOrder } from './order.ts';
import { describePlan } from './plan/describe.ts';
import { type ImagePlan, planImage } from './plan/plan.ts';

/** The word for the current image of the slaves, after `--from`. */
export const PRESENT = 'present';

/**
 * Makes an AMI whose slaves draw as this master does, tries it, and writes its id into the configuration file.
 *
 * @throws {UserError}
 * @throws {Ec2Error}
 */
export async function makeImage(given: ImageOrder, givenTools: GivenTools): Promise<void> {
  const { clock, report, signal } = givenTools;
  const { config, site, dryRun } = given;
  const phases = createPhases(clock);
  const ec2 = patient(givenTools.ec2, clock, signal);
  const tools: Tools = { ec2, ec2Once: givenTools.ec2, clock, report, phases, signal };
  const start = clock.monotonic();
  const lock = dryRun ? undefined : await lockStaging(site.name, 'image', clock.wall());
  try {
    const before = await presentAt(config.file);
    const order = await withPresent(given, ec2);
    const plan = await phases.time('plan', () => planImage(order, ec2, signal));
    for (const line of plan.warnings) report.warn(line);
    report.say(describePlan(plan));
    if (dryRun) {
      for (const line of plan.problems) report.warn(line);
      report.say('Nothing was done (--dry-run).');
      return;
    }
    if (plan.problems.length > 0) throw failure(plan.problems.join('\n'));

    await phases.time('leftovers of earlier runs', () => removeEarlier(ec2, site.name, clock, report));
    const imageId = await stage(order, plan, await launchOf(order, plan, ec2, givenTools), tools);
    await conclude(order, before, imageId, tools);
    report.say(`Time taken:\n${phaseTable(phases.list(), clock.monotonic() - start)}`);
  } finally {
    lock?.release();
  }
}

async function withPresent(order: ImageOrder, ec2: Ec2): Promise<ImageOrder> {
  if (order.from !== PRESENT) return order;
  if (order.site.image === '') {
    throw usageError(
      `--from ${PRESENT}: ${order.config.file}: [SLAVE] image_id is not set, so slaves have no image yet; leave out --from`,
    );
  }
  const { imageId } = await findImage(ec2, order.site, order.config.slave.imageOwners);
  return { ...order, from: imageId };
}

async function launchOf(
  { config, site }: ImageOrder,
  { base, instanceTypes }: ImagePlan,
  ec2: Ec2,
  given: GivenTools,
): Promise<Launch> {
  const { securityGroup, orphanTimeout, bootTimeout } = config.slave;
  const group = securityGroup === undefined ? undefined : await findGivenGroup(ec2, securityGroup, site.vpc);
  return {
    imageId: base.imageId,
    devices: base.devices.map(DeviceName => ({ DeviceName, Ebs: { DeleteOnTermination: true } })),
    instanceTypes,
    placements: await findPlacements(ec2, site, group?.vpcId),
    reach: site.reach,
    admitted: site.address ?? (await given.findAddress()),
    login: base.login,
    orphanTimeout,
    connectLimit: Math.max(bootTimeout, 5 * MINUTE),
  };
}

/** @returns the image, complete */
async function stage(order: ImageOrder, plan: ImagePlan, launch: Launch, tools: Tools): Promise<string> {
  const run: Run = { master: order.site.name, id: randomBytes(6).toString('hex') };
  return await withTemporaryInstance(run, launch, tools, {
    use: machine => work(run, plan, machine, tools),
    undo: cleaner => removeImagesOf(cleaner, run, tools.clock),
  });
}

async function work(run: Run, plan: ImagePlan, { instanceId, ssh }: Machine, tools: Tools): Promise<string> {
  const { report, phases, signal } = tools;
  await prepareMachine(plan, ssh, tools);
  await tryOut(plan, ssh, tools);
  const cleaned = await ssh.script(cleanScript(plan.base.login), { signal });
  if (cleaned.status !== 0) throw commandFailure('cleaning the staging instance', cleaned);
  report.say('Creating the image');
  return await phases.time('create the image', () => createImage(tools, run, instanceId));
}
