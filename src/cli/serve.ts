import { startBalancer } from '../balancer/loop.ts';
import { createLedgerFile } from '../budget/ledger-file.ts';
import { SECOND, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { type BackgroundChannel, backgroundChannel } from '../daemon/background.ts';
import { endWithin } from '../daemon/certain-end.ts';
import { isUserError, messageOf } from '../errors.ts';
import { createProbe } from '../farm/probe.ts';
import { createLoadReader } from '../load/read-load.ts';
import { shownAddress } from '../load/target.ts';
import type { Log } from '../log/log.ts';
import { type Keys, keysFrom } from '../master/keys.ts';
import { findSite, withOverrides } from '../master/load.ts';
import type { Site } from '../master/site.ts';
import { within } from '../os/time-limit.ts';
import { followPause } from '../pause/follow.ts';
import { actingMode } from './acting-mode.ts';
import { connect, useProxy } from './connect.ts';
import { dryRunMode } from './dry-run-mode.ts';
import { earlySignals } from './early-signals.ts';
import { followConfiguration, reload } from './follow-configuration.ts';
import type { Given } from './given.ts';
import { keeperFor } from './keeper-for.ts';
import { openLog } from './open-log.ts';
import { VERSION } from './version.ts';

/** A slave that takes longer than this to answer `HEAD /` (measured: 16 ms) does not answer. */
const PROBE_LIMIT = 3 * SECOND;

/** How long (ms) a file system that hangs may keep the process when everything else is done: its last work, its exit. */
const LAST_WORK = 8 * SECOND;
const EXIT = 3 * SECOND;

export type Serving = {
  readonly options: Given<'run'>;
  readonly keys: Keys;
  /** Whether this is the process that `--background` started. */
  readonly background: boolean;
};

/**
 * Runs the balancer until it is told to stop.
 *
 * @returns the exit status
 */
export async function serve({ options, keys, background }: Serving): Promise<number> {
  if (!background) return serveWith(options, keys, undefined);
  const channel = await backgroundChannel();
  try {
    return await serveWith(options, { ...keysFrom({}, process.env), ...channel.secrets }, channel);
  } catch (error) {
    await channel.failed(error);
    return isUserError(error) ? error.exitStatus : 1;
  }
}

/** Puts the parts of a balancer together. */
async function serveWith(
  options: Given<'run'>,
  keys: Keys,
  channel: BackgroundChannel | undefined,
): Promise<number> {
  const signals = earlySignals();
  const mode = options.dryRun ? dryRunMode() : actingMode(options, keys, channel);
  const keeper = await keeperFor(options);
  try {
    const log = mode.log(openLog(options, keys, channel === undefined));
    process.on('uncaughtExceptionMonitor', error => log.error(error.stack ?? error.message));
    const read = await keeper.readConfig();
    for (const warning of read.warnings) log.warn(warning);
    const config = withOverrides(read.config, options);
    useProxy(config);
    const site = await findSite(config);
    await mode.enter(site, config.master.stateDirectory);

    const sdk = await connect(config.file, site, keys);
    const { fleetAt, hearSlave, keepsSpending, ...acting } = await mode.act({ sdk, farm: keeper.farm, log });
    const first = { config, site };
    const file = followConfiguration({ keeper, clock: systemClock, log, first, fleetAt, overrides: options });
    const pauses = followPause({
      place: () => ({ directory: file.current().config.master.stateDirectory, master: site.name }),
      clock: systemClock,
      log,
    });
    const pause = await pauses.read();
    const ledger = createLedgerFile({ directory: config.master.stateDirectory, master: site.name });
    const spent = { file: ledger.file, read: await ledger.read(systemClock.wall()) };
    const asked = Promise.withResolvers<void>();
    const readLoad = createLoadReader(() => file.current().config);
    const balancer = startBalancer(
      {
        clock: systemClock,
        readStatus: () => readLoad().finally(asked.resolve),
        readConfigIfWritten: file.readIfWritten,
        fleet: file.fleet,
        probe: createProbe(PROBE_LIMIT, hearSlave),
        crippled: keeper.died,
        log,
        saveSpending: async it => {
          if (keepsSpending) await ledger.write(it, systemClock.wall());
        },
        ...acting,
      },
      {
        config,
        runId: acting.runId,
        listed: await keeper.farm.read(),
        ...(pause !== undefined && { pause }),
        spent,
      },
    );
    const over = new AbortController();
    void pauses.follow(balancer.pause, over.signal);
    const told = mode.started(balancer, log);
    signals.take(told.balancer, told.log, async () => {
      mode.reloading();
      await reload({ file, keeper, log, balancer });
      await mode.ready();
    });
    greet(log, site, config);
    // The start is complete when Apache has been asked once; the log has its answer.
    await asked.promise;
    await mode.ready();

    const end = await balancer.ended.catch((bug: unknown) => {
      // Nobody sees the standard error of a daemon.
      log.error(bug instanceof Error ? (bug.stack ?? bug.message) : String(bug));
      throw bug;
    });
    over.abort('over');
    const { message, status } = mode.farewell(end);
    log.info(message);
    sdk.close();
    return end === 'crippled' ? 1 : status;
  } finally {
    // The lock is released last: the next start must not find this one's pidfile.
    await within(LAST_WORK, 'the last work before the exit', keeper.end().finally(mode.close)).catch(
      (error: unknown) => process.stderr.write(`${messageOf(error)}\n`),
    );
    endWithin(EXIT);
  }
}

function greet(log: Log, site: Site, { file, master }: Config): void {
  const seconds = master.pollInterval / SECOND;
  log.info(
    `gbrowse-aws-balancer ${VERSION}, master "${site.name}", ${file}: watching ${master.loadLog ?? shownAddress(master.serverStatusUrl)} every ${seconds} s`,
  );
  if (site.address !== undefined) log.info(`slaves accept connections from ${site.address}`);
}
