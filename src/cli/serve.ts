import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { type Balancer, startBalancer } from '../balancer/loop.ts';
import { SECOND, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { type BackgroundChannel, backgroundChannel } from '../daemon/background.ts';
import { directKeeper } from '../daemon/direct-keeper.ts';
import { credentialsIn } from '../daemon/environment.ts';
import type { Keeper } from '../daemon/keeper.ts';
import { acquireLock, type Lock } from '../daemon/lock.ts';
import { claimPidfile } from '../daemon/pidfile.ts';
import { dropPrivileges, lookUpAccount, mustBecome } from '../daemon/privileges.ts';
import { surviveClosedTerminal } from '../daemon/signals.ts';
import { startKeeper } from '../daemon/start-keeper.ts';
import { forJournal, takeServiceManager } from '../daemon/systemd.ts';
import { failure, isUserError, messageOf } from '../errors.ts';
import { createFarm } from '../farm/create.ts';
import { findRenderfarm } from '../farm/locate.ts';
import { createProbe } from '../farm/probe.ts';
import { readStatus } from '../load/fetch.ts';
import type { ReadStatus } from '../load/reading.ts';
import { createLog, type OpenLog } from '../log/create.ts';
import type { Log } from '../log/log.ts';
import { createRedactor } from '../log/redact.ts';
import { findDatabases } from '../master/databases.ts';
import { findExternalAddress } from '../master/external-address.ts';
import { readMetadata } from '../master/metadata.ts';
import { type Site, siteOf } from '../master/site.ts';
import { createSpotFleet, type SpotFleet } from '../spot/fleet.ts';
import { createMetricsFile } from '../status/metrics-file.ts';
import { createRecord } from '../status/record.ts';
import { createStatusServer } from '../status/serve.ts';
import type { RunOptions } from './commands/run.ts';
import { connect, useProxy } from './connect.ts';
import { type Keys, keysFrom } from './credentials.ts';
import { earlySignals } from './early-signals.ts';
import { type Configuration, followConfiguration } from './follow-configuration.ts';
import { VERSION } from './version.ts';

/** A slave that takes longer than this to answer `HEAD /` (measured: 16 ms) does not answer. */
export const PROBE_LIMIT = 3 * SECOND;
const LONGEST_STATUS_READ = 10 * SECOND;

export type Serving = {
  readonly options: RunOptions;
  readonly keys: Keys;
  /** Whether this is the process that `--background` has started. */
  readonly background: boolean;
};

/**
 * Runs the balancer until it is told to stop.
 *
 * @returns the exit status
 */
export async function serve({ options, keys, background }: Serving): Promise<number> {
  const channel = background ? await backgroundChannel() : undefined;
  const given = channel === undefined ? keys : keysFrom({}, process.env);
  const { secrets } = channel ?? { secrets: undefined };
  const all = { ...given, ...secrets };
  try {
    return await serveWith(options, all, channel);
  } catch (error) {
    if (channel === undefined) throw error;
    await channel.failed(error);
    return isUserError(error) ? error.exitStatus : 1;
  }
}

async function serveWith(
  options: RunOptions,
  keys: Keys,
  channel: BackgroundChannel | undefined,
): Promise<number> {
  const signals = earlySignals();
  const manager = takeServiceManager(process.env);
  const post = await takePost(options);
  const record = createRecord({ clock: systemClock, redact: createRedactor(secretsOf(keys)).redact });
  let lock: Lock | undefined;
  try {
    const log = record.hear(openLog(options, keys, channel === undefined));
    process.on('uncaughtExceptionMonitor', error => log.error(error.stack ?? error.message));
    const { config, warnings } = await post.keeper.readConfig();
    for (const warning of warnings) log.warn(warning);
    useProxy(config);
    const site = siteOf(config, await readMetadata(process.env), hostname());
    lock = await lockMaster(site.name, createStatusServer(record.report));
    record.introduce(
      { version: VERSION, pid: process.pid, master: site.name },
      options.metricsFile === undefined ? undefined : createMetricsFile(options.metricsFile, log),
    );

    const sdk = await connect(config.file, site, keys);
    const ec2 = record.count(sdk.ec2);
    const first = Promise.withResolvers<void>();
    const databases = await findDatabases();
    const fleetAt = (place: Site) =>
      createSpotFleet({
        ec2,
        site: place,
        findAddress: () => externalAddress(log),
        ...(databases !== undefined && { databases }),
        ...(options.sshKey !== undefined && { sshKey: options.sshKey }),
      });
    const { keeper } = post;
    const file = followConfiguration({ keeper, clock: systemClock, log, first: { config, site }, fleetAt });
    const readLoad = loadReader(() => file.current().config);
    const balancer = startBalancer(
      {
        clock: systemClock,
        readStatus: () => readLoad().finally(first.resolve),
        readConfigIfWritten: file.readIfWritten,
        fleet: fleetOf(() => file.current().fleet),
        probe: createProbe(PROBE_LIMIT),
        farm: post.keeper.farm,
        log,
        observe: record.observe,
      },
      { config, runId: randomUUID().slice(0, 18), listed: await post.keeper.farm.read() },
    );
    const stopping: Balancer = {
      ...balancer,
      stop(how) {
        manager.stopping();
        balancer.stop(how);
      },
    };
    signals.take(stopping, log, async () => {
      manager.reloading();
      await reload({ file, keeper, log, balancer });
      manager.ready();
    });
    greet(log, site, config);
    // The start is through when Apache was asked once; what it said is in the log.
    await first.promise;
    await channel?.started();
    manager.ready();

    const end = await balancer.ended.catch((bug: unknown) => {
      // Nobody sees the stderr of a daemon.
      log.error(bug instanceof Error ? (bug.stack ?? bug.message) : String(bug));
      throw bug;
    });
    log.info(FAREWELL[end]);
    sdk.close();
    return end === 'incomplete' ? 1 : 0;
  } finally {
    await record.end();
    await post.keeper.end();
    manager.close();
    lock?.release();
  }
}

const FAREWELL = {
  clean: 'stopped: no slave is left',
  'slaves kept': 'stopped: the slaves stay for the next start to take up',
  hurried:
    'stopped without waiting: the slaves were asked to end; the next start removes what is left in EC2',
  incomplete:
    'stopped, but not everything could be removed from EC2: start and stop the balancer again when EC2 answers, or look in the AWS console for what has the tag gbrowse-aws-balancer:master',
} as const;

/** A fleet that is, at each call, the one of that moment. */
export function fleetOf(current: () => SpotFleet): SpotFleet {
  return {
    look: () => current().look(),
    prepare: (...given) => current().prepare(...given),
    launch: intent => current().launch(intent),
    markDraining: (...given) => current().markDraining(...given),
    markAlive: (...given) => current().markAlive(...given),
    terminate: instanceIds => current().terminate(instanceIds),
    tidy: () => current().tidy(),
  };
}

/** What a daemon holds on the machine: pidfile, configuration file, privileges. */
type Post = { readonly keeper: Keeper };

export async function takePost(options: RunOptions): Promise<Post> {
  const configFile = options.conf ?? (await findConfigFile());
  const account = options.user === undefined ? undefined : await lookUpAccount(options.user);
  const becomes = account !== undefined && mustBecome(account) ? account : undefined;
  const pidfile = options.pidfile === undefined ? undefined : await claimPidfile(options.pidfile);
  const parts = { loadConfig, findRenderfarm, createFarm };
  const held = { configFile, parts, ...(pidfile !== undefined && { pidfile }) };
  if (becomes === undefined) return { keeper: directKeeper(held) };
  const keeper = await startKeeper({
    ...held,
    account: becomes,
    ...(options.logfile !== undefined && { logFile: options.logfile }),
  });
  await keeper.reopenLog();
  dropPrivileges(becomes);
  return { keeper };
}

export function openLog(options: RunOptions, keys: Keys, foreground: boolean): OpenLog {
  surviveClosedTerminal();
  return createLog({
    verbosity: options.verbosity,
    format: options.logFormat,
    secrets: secretsOf(keys),
    ...(options.logfile !== undefined && { file: options.logfile }),
    ...(foreground && { stream: forJournal(process.stderr, process.env) }),
  });
}

function secretsOf(keys: Keys): readonly (string | undefined)[] {
  return [keys.secretKey, ...credentialsIn(process.env)];
}

async function lockMaster(name: string, onConnection: (socket: Socket) => void): Promise<Lock> {
  const lock = await acquireLock(`master:${name}`, onConnection);
  if (lock !== undefined) return lock;
  throw failure(
    `another gbrowse-aws-balancer is running on this machine for the master "${name}"; end it first, or give this one another [MASTER] name`,
  );
}

/** Reads the load from where the configuration says at that moment. */
export function loadReader(current: () => Config): ReadStatus {
  return async () => {
    const { serverStatusUrl, pollInterval } = current().master;
    return await readStatus(serverStatusUrl, { timeLimit: Math.min(pollInterval, LONGEST_STATUS_READ) })();
  };
}

async function externalAddress(log: OpenLog): Promise<string> {
  const address = await findExternalAddress();
  log.info(`external address of this master: ${address}`);
  return address;
}

export function greet(log: Log, site: Site, { file, master }: Config): void {
  const seconds = master.pollInterval / SECOND;
  log.info(
    `gbrowse-aws-balancer ${VERSION}, master "${site.name}", ${file}: watching ${master.serverStatusUrl} every ${seconds} s`,
  );
  if (site.address !== undefined) log.info(`slaves let in ${site.address}`);
}

/** SIGHUP: the log is opened anew and the configuration read again; a bad one is refused. */
export async function reload(parts: {
  readonly file: Configuration;
  readonly keeper: Keeper;
  readonly log: OpenLog;
  readonly balancer: Balancer;
}): Promise<void> {
  const { file, keeper, log, balancer } = parts;
  try {
    await keeper.reopenLog();
    log.reopen();
  } catch (error) {
    log.error(`the log could not be reopened: ${messageOf(error)}`);
  }
  try {
    const config = await file.read();
    balancer.reconfigure(config);
    log.info(`configuration read again from ${config.file}`);
  } catch (error) {
    log.error(`the configuration was not changed: ${messageOf(error)}`);
  }
}
