import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { patient } from '../ec2/retry.ts';
import { messageOf } from '../errors.ts';
import { markAlive } from '../spot/tags.ts';
import { endStaging, type LaunchRequest, launchStaging, type StagingInstance } from './instance.ts';
import { makeKeys } from './keys.ts';
import type { Run } from './run.ts';
import { removeGroups } from './security-group.ts';
import { openSsh, type Ssh } from './ssh.ts';
import type { Tools } from './tools.ts';
import { STAY, stagingUserData } from './user-data.ts';

/** What is launched, and how it is reached. */
export type Launch = Omit<LaunchRequest, 'userData'> & {
  readonly login: string;
  /** How long (ms) it runs without hearing from us. */
  readonly orphanTimeout: number;
  /** How long (ms) the first connection is waited for. */
  readonly connectLimit: number;
};

/** A staging instance that is running, and the way to it. */
export type Machine = StagingInstance & { readonly ssh: Ssh };

/** What to do with the instance. */
type Work<T> = {
  /** Needs the instance. */
  use(machine: Machine): Promise<T>;
  /** Waits for what EC2 still has to do with the result; the instance is ending meanwhile. */
  settle?(result: T): Promise<void>;
  /** The ids in a result that carry the activity tag while it settles. */
  idsOf?(result: T): readonly string[];
  /** Deletes what `use` has made in EC2 if something fails. */
  undo?(ec2: Ec2): Promise<void>;
};

/** How long (ms) the clean-up tries: it must not hang for ever on a network that is gone. */
const CLEANUP_PATIENCE = 2 * MINUTE;
const ACTIVITY_INTERVAL = 5 * MINUTE;

/**
 * Launches an instance, works with it, and terminates it: only the result is left in EC2, whatever happens.
 *
 * Everything carries the run's tags from the call that makes it. The keys are good for this one instance: ours to log
 * in with, and its own, by which it is known. It powers itself off if it does not hear from us.
 *
 * @throws {UserError}
 * @throws {Ec2Error}
 */
export async function withTemporaryInstance<T>(
  run: Run,
  launch: Launch,
  tools: Tools,
  work: Work<T>,
): Promise<T> {
  const { clock, report, phases } = tools;
  const cleaner = patient(tools.ec2Once, clock, undefined, CLEANUP_PATIENCE);
  try {
    const result = await launchAndUse(run, launch, tools, work);
    await endStaging(cleaner, run);
    await settle(result, tools, work);
    await phases.time('remove the staging instance', () => removeGroups(cleaner, run, clock));
    return result;
  } catch (error) {
    report.say('Removing what was created in EC2');
    try {
      await endStaging(cleaner, run);
      await work.undo?.(cleaner);
      await removeGroups(cleaner, run, clock);
    } catch (second) {
      report.warn(
        `what was created in EC2 could not be removed (${messageOf(second)}); "gbrowse-aws-balancer gc --yes" or the next run removes it`,
      );
    }
    throw error;
  }
}

async function launchAndUse<T>(run: Run, launch: Launch, tools: Tools, work: Work<T>): Promise<T> {
  const { ec2, clock, report, phases, signal } = tools;
  const keys = await makeKeys();
  try {
    report.say(`Launching a staging instance (${launch.imageId})`);
    const userData = stagingUserData(keys, launch.login, launch.orphanTimeout);
    const instance = await phases.time('launch the staging instance', () =>
      launchStaging(ec2, run, { ...launch, userData }, clock, signal),
    );
    report.say(`  ${instance.instanceId}, ${instance.instanceType}, at ${instance.address}`);
    const ssh = await openSsh(keys, instance.address, launch.login, clock);
    const living = new AbortController();
    try {
      await phases.time('first connection', () => ssh.connect(launch.connectLimit, signal));
      // While we work, the machine does not power itself off, and nobody takes it for a leftover.
      const often = Math.min(MINUTE, launch.orphanTimeout / 4);
      void nowAndThen(often, () => ssh.script(STAY, { signal: living.signal }), clock, living.signal);
      showLife(ec2, [instance.instanceId], clock, living.signal);
      return await work.use({ ...instance, ssh });
    } finally {
      living.abort();
      await ssh.close();
    }
  } finally {
    await keys.remove();
  }
}

async function settle<T>(result: T, { ec2, clock }: Tools, work: Work<T>): Promise<void> {
  const living = new AbortController();
  try {
    showLife(ec2, work.idsOf?.(result) ?? [], clock, living.signal);
    await work.settle?.(result);
  } finally {
    living.abort();
  }
}

/** Tells others of the account that somebody owns these. */
function showLife(ec2: Ec2, ids: readonly string[], clock: Clock, signal: AbortSignal): void {
  if (ids.length === 0) return;
  void nowAndThen(ACTIVITY_INTERVAL, () => markAlive(ec2, ids, clock.wall()), clock, signal);
}

/** Does something every so often (ms), until the signal aborts; what fails is tried again the next time. */
async function nowAndThen(
  interval: number,
  act: () => Promise<unknown>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(Math.max(interval, SECOND), signal).catch(() => {});
    if (signal.aborted) return;
    await act().catch(() => {});
  }
}
