import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { WriteStream } from 'node:tty';
import { check as checkAll } from '../../check/check.ts';
import { createPatience } from '../../check/patience.ts';
import { reportAsJson, reportAsText } from '../../check/print.ts';
import type { Topic } from '../../check/topic.ts';
import { configuration } from '../../check/topics/configuration.ts';
import { testMessage } from '../../check/topics/notifications.ts';
import { rendering } from '../../check/topics/rendering.ts';
import { TOPICS } from '../../check/topics.ts';
import { type CheckOptions, createWorld, type Edges, type World } from '../../check/world.ts';
import { SECOND } from '../../clock.ts';
import { findConfigFile } from '../../config/locate.ts';
import { isLockHeld } from '../../daemon/lock.ts';
import { usageError } from '../../errors.ts';
import { findExternalAddress } from '../../master/external-address.ts';
import { credentialsFrom, keysFrom } from '../../master/keys.ts';
import { readMetadata } from '../../master/metadata.ts';
import { SETTINGS_FILE } from '../../master/service-settings.ts';
import { lookOf } from '../../terminal/look.ts';
import { useProxy } from '../connect.ts';
import type { Given } from '../given.ts';
import { VERSION } from '../version.ts';

/**
 * `gbrowse-aws-balancer check`: checks that everything is in place. It changes nothing, here or in EC2.
 *
 * @returns the exit status: 1 when there is a problem
 */
export async function check(given: Given<'check'>): Promise<number> {
  const options = optionsFrom(given);
  const topics = [
    ...topicsOf(given.topic),
    ...(given.render ? [rendering] : []),
    ...(given.notify ? [testMessage] : []),
  ];
  const patience = createPatience(options.timeLimit);
  const world = createWorld(options, edges(), patience);
  const { config } = await world.readConfig().catch(() => ({ config: undefined }));
  if (config !== undefined) useProxy(config);
  const first = await checkAll(topics, world, showProgress(process.stderr, given.json));
  // The reason why a topic could not be checked is shown, even if only other topics were asked for.
  const isKept = config === undefined && first.findings.some(({ verdict }) => verdict === 'skipped');
  const report =
    isKept && !topics.includes(configuration)
      ? await checkAll([configuration, ...topics], world, showProgress(process.stderr, given.json))
      : first;
  const starts = (given.topic ?? '') === '' && report.result !== 'problem' && !(await isRunning(world));
  patience.end();
  world.close();
  const text = given.json
    ? reportAsJson(report, VERSION, new Date())
    : reportAsText(report, {
        ...lookOf(process.stdout, process.env),
        ...(starts && { start: 'To start: service gbrowse-aws-balancer start' }),
      });
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  const status = report.result === 'problem' ? 1 : 0;
  // Something that hangs, such as a name lookup, would keep the process from ending.
  if (world.signal.aborted) process.exit(status);
  return status;
}

/** Whether the balancer of this master runs on this machine. */
async function isRunning(world: World): Promise<boolean> {
  const site = await world.site().catch(() => undefined);
  return site !== undefined && (await isLockHeld(`master:${site.name}`));
}

/** Shows on a terminal what is still pending, in one line, which is cleared at the end. */
function showProgress(terminal: WriteStream, isQuiet: boolean): (pending: readonly string[]) => void {
  if (isQuiet || !terminal.isTTY) return () => {};
  return pending => {
    const text = pending.length === 0 ? '' : `waiting for ${pending.join(', ')}`;
    terminal.write(`\r\x1b[K${text.slice(0, (terminal.columns || 80) - 1)}`);
  };
}

/** `--topic`: those whose name begins so; all without it. */
function topicsOf(begin = ''): readonly Topic[] {
  if (begin === '') return TOPICS;
  const found = TOPICS.filter(({ name }) => name.toLowerCase().startsWith(begin.toLowerCase()));
  if (found.length > 0) return found;
  const names = TOPICS.map(({ name }) => (name.includes(' ') ? `"${name}"` : name)).join(', ');
  throw usageError(`--topic takes the beginning of one of ${names}`);
}

function optionsFrom(given: Given<'check'>): CheckOptions {
  const { conf, timeout, accessKey, secretKey, render, notify, ...more } = given;
  // Both keys or none: anything else is a wrong command line, not a finding.
  credentialsFrom(keysFrom(given, process.env));
  return {
    ...more,
    keys: keysFrom(given, {}),
    timeLimit: timeout * SECOND,
    ...(conf !== undefined && { confFile: conf }),
  };
}

function edges(): Edges {
  return {
    env: process.env,
    hostName: hostname(),
    settingsFile: SETTINGS_FILE,
    shippedConfig: '/usr/share/gbrowse-aws-balancer/aws_balancer.conf',
    findConfigFile,
    readMetadata: () => readMetadata(process.env),
    machineVendor: () => readFile('/sys/class/dmi/id/sys_vendor', 'utf8').catch(() => undefined),
    // The SDK is half of the program, so it is loaded only when it is needed.
    connect: async settings => (await import('../../ec2/sdk.ts')).createSdkEc2(settings),
    findAddress: () => findExternalAddress(),
    fetchDate: async (url, signal) => {
      const { ofetch } = await import('ofetch');
      const answer = await ofetch.raw(url, {
        retry: 1,
        ignoreResponseError: true,
        redirect: 'manual',
        responseType: 'stream',
        signal,
      });
      await answer.body?.cancel();
      return answer.headers.get('date') ?? undefined;
    },
  };
}
