import { hostname } from 'node:os';
import { loadInWords } from '../balancer/decide-scale.ts';
import { type Balancer, startBalancer } from '../balancer/loop.ts';
import { systemClock } from '../clock.ts';
import { dryRun } from '../dry-run/dry-run.ts';
import { readingOnly } from '../ec2/reading-only.ts';
import { createProbe } from '../farm/probe.ts';
import type { Log } from '../log/log.ts';
import { readMetadata } from '../master/metadata.ts';
import { siteOf } from '../master/site.ts';
import { connect, useProxy } from './connect.ts';
import { earlySignals } from './early-signals.ts';
import { followConfiguration } from './follow-configuration.ts';
import { fleetOf, greet, loadReader, openLog, PROBE_LIMIT, reload, type Serving, takePost } from './serve.ts';

/**
 * Runs the balancer without its hands, until it is told to stop: the real Apache, the real account and the real farm file
 * are looked at, and what would be done is logged. It needs no lock, no pidfile and nobody's place, so that it can run
 * beside the balancer of the same master.
 *
 * @returns the exit status
 */
export async function serveDryRun({ options, keys }: Omit<Serving, 'background'>): Promise<number> {
  const signals = earlySignals();
  const { keeper } = await takePost(options);
  const ending = new AbortController();
  try {
    const plainLog = openLog(options, keys, true);
    const log = { ...plainLog, ...marked(plainLog) };
    const { config, warnings } = await keeper.readConfig();
    for (const warning of warnings) log.warn(warning);
    useProxy(config);
    const site = siteOf(config, await readMetadata(process.env), hostname());
    const sdk = await connect(config.file, site, keys);
    const running: { balancer?: Balancer } = {};
    const { fleetAt, farm } = dryRun({
      ec2: readingOnly(sdk.ec2),
      clock: systemClock,
      say: log.info,
      load: () => (running.balancer && loadInWords(running.balancer.state)) ?? 'load unknown',
      signal: ending.signal,
    });
    const file = followConfiguration({ keeper, clock: systemClock, log, first: { config, site }, fleetAt });
    const balancer = startBalancer(
      {
        clock: systemClock,
        readStatus: loadReader(() => file.current().config),
        readConfigIfWritten: file.readIfWritten,
        fleet: fleetOf(() => file.current().fleet),
        probe: createProbe(PROBE_LIMIT),
        farm: farm(keeper.farm),
        log,
      },
      { config, runId: 'dry-run', listed: await keeper.farm.read() },
    );
    running.balancer = balancer;
    const leaving: Balancer = {
      ...balancer,
      stop() {
        balancer.stop({ keepSlaves: true });
        // Nothing is under way that would have to be waited for.
        balancer.stop();
      },
    };
    const quiet = { ...log, info: log.debug };
    signals.take(leaving, quiet, () => reload({ file, keeper, log, balancer }));
    greet(log, site, config);
    await balancer.ended;
    sdk.close();
    log.info('stopped, and nothing was changed');
    return 0;
  } finally {
    ending.abort();
    await keeper.end();
  }
}

/** Every line says that nothing of it was done. */
function marked(log: Log): Log {
  const mark =
    (level: keyof Log): Log[keyof Log] =>
    (message, fields) =>
      log[level](`dry run: ${message}`, fields);
  return { error: mark('error'), warn: mark('warn'), info: mark('info'), debug: mark('debug') };
}
