import { randomUUID } from 'node:crypto';
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
import { findDatabases } from '../master/databases.ts';
import { findExternalAddress } from '../master/external-address.ts';
import { readMetadata } from '../master/metadata.ts';
import { type Site, siteOf } from '../master/site.ts';
import { createSpotFleet, type SpotFleet } from '../spot/fleet.ts';
import type { RunOptions } from './commands/run.ts';
import { connect, useProxy } from './connect.ts';
import { type Keys, keysFrom } from './credentials.ts';
import { earlySignals } from './early-signals.ts';
import { VERSION } from './version.ts';

/** A slave that takes longer than this to answer `HEAD /` (measured: 16 ms) does not answer. */
const PROBE_LIMIT = 3 * SECOND;
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
  let lock: Lock | undefined;
  try {
    const log = openLog(options, keys, channel === undefined);
    process.on('uncaughtExceptionMonitor', error => log.error(error.stack ?? error.message));
    const { config, warnings } = await post.keeper.readConfig();
    for (const warning of warnings) log.warn(warning);
    useProxy(config);
    const site = siteOf(config, await readMetadata(process.env), hostname());
    lock = await lockMaster(site.name);

    const sdk = await connect(config.file, site, keys);
    const first = Promise.withResolvers<void>();
    const databases = await findDatabases();
    const fleetAt = (place: Site) =>
      createSpotFleet({
        ec2: sdk.ec2,
        site: place,
        findAddress: () => externalAddress(log),
        ...(databases !== undefined && { databases }),
        ...(options.sshKey !== undefined && { sshKey: options.sshKey }),
      });
    const current: Current = { config, site, fleet: fleetAt(site) };
    const balancer = startBalancer(
      {
        clock: systemClock,
        readStatus: async () => {
          const timeLimit = Math.min(current.config.master.pollInterval, LONGEST_STATUS_READ);
          try {
            return await statusOf(current.config, timeLimit)();
          } finally {
            first.resolve();
          }
        },
        fleet: fleetOf(() => current.fleet),
        probe: createProbe(PROBE_LIMIT),
        farm: post.keeper.farm,
        log,
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
      await reload({ current, fleetAt, keeper: post.keeper, log, balancer });
      manager.ready();
    });
    greet(log, site, config);
    // The start is through when Apache was asked once; what it said is in the log.
    await first.promise;
    await channel?.started();
    manager.ready();

    const end = await balancer.ended;
    log.info(FAREWELL[end]);
    sdk.close();
    return end === 'incomplete' ? 1 : 0;
  } finally {
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

/** What the configuration file says now, and what follows from it. */
type Current = { config: Config; site: Site; fleet: SpotFleet };

/** A fleet that is, at each call, the one of that moment. */
function fleetOf(current: () => SpotFleet): SpotFleet {
  return {
    look: () => current().look(),
    prepare: (...given) => current().prepare(...given),
    launch: intent => current().launch(intent),
    markDraining: (...given) => current().markDraining(...given),
    terminate: instanceIds => current().terminate(instanceIds),
    tidy: () => current().tidy(),
  };
}

/** What a daemon holds on the machine: pidfile, configuration file, privileges. */
type Post = { readonly keeper: Keeper };

async function takePost(options: RunOptions): Promise<Post> {
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

function openLog(options: RunOptions, keys: Keys, foreground: boolean): OpenLog {
  surviveClosedTerminal();
  return createLog({
    verbosity: options.verbosity,
    format: options.logFormat,
    secrets: [keys.secretKey, ...credentialsIn(process.env)],
    ...(options.logfile !== undefined && { file: options.logfile }),
    ...(foreground && { stream: forJournal(process.stderr, process.env) }),
  });
}

async function lockMaster(name: string): Promise<Lock> {
  const lock = await acquireLock(`master:${name}`);
  if (lock !== undefined) return lock;
  throw failure(
    `another gbrowse-aws-balancer is running on this machine for the master "${name}"; end it first, or give this one another [MASTER] name`,
  );
}

function statusOf(config: Config, timeLimit: number): ReadStatus {
  return readStatus(config.master.serverStatusUrl, { timeLimit });
}

async function externalAddress(log: OpenLog): Promise<string> {
  const address = await findExternalAddress();
  log.info(`external address of this master: ${address}`);
  return address;
}

function greet(log: OpenLog, site: Site, { file, master }: Config): void {
  const seconds = master.pollInterval / SECOND;
  log.info(
    `gbrowse-aws-balancer ${VERSION}, master "${site.name}", ${file}: watching ${master.serverStatusUrl} every ${seconds} s`,
  );
  if (site.address !== undefined) log.info(`slaves let in ${site.address}`);
}

/** SIGHUP: the log is opened anew and the configuration read again; a bad one is refused. */
async function reload(parts: {
  readonly current: Current;
  fleetAt(site: Site): SpotFleet;
  readonly keeper: Keeper;
  readonly log: OpenLog;
  readonly balancer: Balancer;
}): Promise<void> {
  const { current, fleetAt, keeper, log, balancer } = parts;
  try {
    await keeper.reopenLog();
    log.reopen();
  } catch (error) {
    log.error(`the log could not be reopened: ${messageOf(error)}`);
  }
  try {
    const { config, warnings } = await keeper.readConfig();
    for (const warning of warnings) log.warn(warning);
    const site = siteOf(config, await readMetadata(process.env), hostname());
    const fixed = (['name', 'region'] as const).filter(key => site[key] !== current.site[key]);
    if (fixed.length > 0) {
      throw failure(`${fixed.join(' and ')} can only be changed by a restart`);
    }
    Object.assign(current, { config, site, fleet: fleetAt(site) });
    balancer.reconfigure(config);
    log.info(`configuration read again from ${config.file}`);
  } catch (error) {
    log.error(`the configuration was not changed: ${messageOf(error)}`);
  }
}
