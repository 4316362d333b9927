import { hostname } from 'node:os';
import { parseConfig } from '../../config/load.ts';
import { lookUpAccount } from '../../daemon/privileges.ts';
import { failure, isUserError, usageError } from '../../errors.ts';
import { installFarm } from '../../farm/install.ts';
import { readMetadata } from '../../master/metadata.ts';
import { SETTINGS_FILE, serviceSettings } from '../../master/service-settings.ts';
import { atTerminal, TAKE_WHAT_WAS_FOUND } from '../../setup/ask.ts';
import { setUp } from '../../setup/setup.ts';
import { ask as askAtTerminal } from '../ask-keys.ts';
import { prepareEnvironment } from '../environment.ts';
import { type Given, readOptions } from '../given.ts';

/**
 * `gbrowse-aws-balancer setup`: from an installed package to a configuration that `check` finds in order.
 *
 * @returns the exit status: that of `check`, where there is an image to check with
 */
export async function setup(given: Given<'setup'>): Promise<number> {
  if (process.geteuid?.() !== 0 && !given.dryRun)
    throw failure(
      'setup writes files of root: run it with sudo, or with --dry-run to see what it would write',
    );
  const isAsked = !given.yes && process.stdin.isTTY && process.stdout.isTTY;
  if (!isAsked && !given.yes && !given.dryRun)
    throw usageError('setup asks at a terminal, and there is none; --yes uses every answer that it finds');
  const ask = isAsked ? await atTerminal(say, askAtTerminal) : TAKE_WHAT_WAS_FOUND;
  const { instanceType: instanceTypes, ...options } = given;
  const { file, text, isWritten, hasAccount } = await setUp(
    { ...options, ...(instanceTypes !== undefined && { instanceTypes }) },
    {
      ask,
      say,
      env: process.env,
      hostName: hostname(),
      readMetadata: () => readMetadata(process.env),
    },
  );
  if (!isWritten) return 0;
  prepareEnvironment(process.env);
  await installLine(file, text);
  const slave = parseConfig(file, text).config?.slave;
  const hasImage = slave?.imageId !== undefined;
  const made =
    hasAccount &&
    !hasImage &&
    (await ask.confirm('Make the image of the slaves now? It takes some minutes', false));
  if (made) await (await import('./image.ts')).image(readOptions('image', ['--conf', file]));
  const copies = slave?.dataSnapshots.length === 0;
  const copied =
    hasAccount && copies && (await ask.confirm('Copy the data of GBrowse for the slaves now?', false));
  if (copied) await (await import('./sync.ts')).sync(readOptions('sync', ['--conf', file]));
  const isComplete = hasImage || made;
  const status = isComplete
    ? await (await import('./check.ts')).check(readOptions('check', ['--conf', file]))
    : 0;
  const next = [
    // Prints the commands that create a role or a user; setup then tries its keys, and goes on.
    ...(hasAccount
      ? []
      : ['gbrowse-aws-balancer iam-policy --commands --sync --image', 'gbrowse-aws-balancer setup']),
    ...(isComplete ? [] : ['gbrowse-aws-balancer image']),
    ...(copies && !copied ? ['gbrowse-aws-balancer sync'] : []),
    ...(isComplete && status === 0 ? [] : ['gbrowse-aws-balancer check']),
    'service gbrowse-aws-balancer start',
  ];
  say(`Next:\n${next.map(command => `    ${command}`).join('\n')}`);
  return status;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prepares `farm = live`, as the start of the service does; what is in its way is said, and `check` says it again. */
async function installLine(file: string, text: string): Promise<void> {
  const master = parseConfig(file, text).config?.master;
  if (master?.farm !== 'live') return;
  try {
    const { USER = 'gbrowse-aws-balancer' } = (await serviceSettings(SETTINGS_FILE)) ?? {};
    const { done, warnings } = await installFarm(master, await lookUpAccount(USER));
    for (const sentence of [...done, ...warnings]) say(`${sentence}.`);
  } catch (error) {
    if (!isUserError(error)) throw error;
    say(`GBrowse does not follow the farm yet: ${error.message}.`);
  }
}
