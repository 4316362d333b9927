import { HOUR, MINUTE } from '../clock.ts';
import { constantMarket } from '../simulate/market.ts';
import { measure } from '../simulate/measure.ts';
import { createRandom } from '../simulate/random.ts';
import { needAtReadings } from '../simulate/ranges.ts';
import { readingsOf, runBalancer } from '../simulate/run-balancer.ts';
import type { Settings } from '../simulate/settings.ts';
import { createTrace } from '../simulate/trace.ts';
import type { Hour } from './book.ts';
import { sumOf } from './tally.ts';

/** The result of a simulation of the same load. */
export type Simulated = {
  readonly dollars: number;
  readonly slaveHours: number;
  readonly launches: number;
  readonly requests: number;
  readonly requestsWithTooFewSlaves: number;
};

/** The boot time if no slave has booted yet, ms. */
const USUAL_BOOT = 90_000;

/**
 * Replays the load of these hours, minute by minute, with the balancer's own policy: with the actual boot time, mean
 * price and interruptions. Minutes whose load is not known are without requests.
 *
 * @returns undefined where no load is known
 */
export function simulated(
  hours: readonly Hour[],
  settings: Settings,
  bootTime: number | undefined,
): Simulated | undefined {
  const [first, last] = [hours[0], hours.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const total = sumOf(
    hours.map(it => it.tally),
    first.tally.start,
  );
  if (total.known === 0) return undefined;
  const { start, end } = spanOf(hours, first.tally.start, last.tally.start + HOUR);
  const counts = new Float64Array((end - start) / 1000);
  for (const { tally, loads } of hours)
    for (const [minute, load] of loads.entries()) {
      const second = (tally.start + minute * MINUTE - start) / 1000;
      if (load !== null) counts.fill(load, Math.max(0, second), Math.max(0, second + 60));
    }
  const trace = createTrace({ name: 'the history', startedAt: start }, counts);
  const slaveHours = total.existed / HOUR;
  const price = slaveHours > 0 && total.dollars > 0 ? total.dollars / slaveHours : settings.slave.spotBid;
  const market = constantMarket(Math.min(price, settings.slave.spotBid));
  const interruptions = slaveHours > 0 ? total.interruptions / slaveHours : 0;
  const world = { market, bootTime: bootTime ?? USUAL_BOOT, interruptions, random: createRandom('history') };
  const readings = readingsOf(trace, settings);
  // The history judges by what the balancer knew at each moment, so the simulation does too.
  const need = needAtReadings(trace, settings, readings);
  const outcome = measure(trace, need, runBalancer(trace, settings, world, readings), market);
  return {
    dollars: outcome.cost,
    slaveHours: outcome.paid / HOUR,
    launches: outcome.launches,
    requests: trace.cumulative[trace.seconds] ?? 0,
    requestsWithTooFewSlaves: outcome.tooFew,
  };
}

/** From the first minute to the last whose load is known. */
function spanOf(hours: readonly Hour[], from: number, until: number) {
  const minutes = hours.flatMap(({ tally, loads }) =>
    loads.flatMap((load, minute) => (load === null ? [] : [tally.start + minute * MINUTE])),
  );
  const [start = from, end = until] = [minutes[0], minutes.at(-1)];
  return { start, end: end + MINUTE };
}
