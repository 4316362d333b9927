import { loadInWords } from '../balancer/decide-scale.ts';
import type { Balancer } from '../balancer/loop.ts';
import { systemClock } from '../clock.ts';
import { dryRun } from '../dry-run/dry-run.ts';
import { readingOnly } from '../ec2/reading-only.ts';
import { retryReads } from '../ec2/retry.ts';
import type { Log } from '../log/log.ts';
import type { Mode } from './mode.ts';

/**
 * A balancer that reads the real Apache, the real account and the real farm file, and only logs what it would do. It
 * takes no lock, so it can run beside the balancer of the same master.
 */
export function dryRunMode(): Mode {
  const ending = new AbortController();
  let running: Balancer | undefined;

  return {
    log: log => ({ ...log, ...marked(log) }),
    enter: async () => {},
    async act({ sdk, farm, log }) {
      const dry = dryRun({
        ec2: readingOnly(retryReads(sdk.ec2, systemClock)),
        clock: systemClock,
        say: log.info,
        load: () => (running && loadInWords(running.state)) ?? 'load unknown',
        signal: ending.signal,
      });
      return { fleetAt: dry.fleetAt, farm: dry.farm(farm), runId: 'dry-run', keepsSpending: false };
    },
    started(balancer, log) {
      running = balancer;
      const stop = () => {
        balancer.stop({ keepSlaves: true });
        // Nothing is under way, so there is nothing to wait for.
        balancer.stop();
      };
      // A stop is not carried out here, so its messages do not apply.
      return { balancer: { ...balancer, stop }, log: { ...log, info: log.debug } };
    },
    ready: async () => {},
    reloading: () => {},
    farewell: () => ({ message: 'stopped, and nothing was changed', status: 0 }),
    close: async () => ending.abort(),
  };
}

/** Every line says that it was not done. */
function marked(log: Log): Log {
  const mark =
    (level: keyof Log): Log[keyof Log] =>
    (message, fields) =>
      log[level](`dry run: ${message}`, fields);
  return { error: mark('error'), warn: mark('warn'), info: mark('info'), debug: mark('debug') };
}
