import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import type { ReleaseAfter } from '../../src/policy/release.ts';
import { builtInTrace } from '../../src/simulate/built-in.ts';
import { createMarket, LEAST_BILLED } from '../../src/simulate/market.ts';
import { measure } from '../../src/simulate/measure.ts';
import { needOf } from '../../src/simulate/need.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { runBalancer } from '../../src/simulate/run-balancer.ts';
import { createTrace, durationOf, type Trace } from '../../src/simulate/trace.ts';
import { BOOT_TIME, createWorld, PENDING_TIME } from '../balancer/world.ts';

type Row = readonly [requestsPerSecond: number, min: number, max: number];

const MANUAL: readonly Row[] = [
  [0.1, 0, 1],
  [0.5, 0, 2],
  [1, 1, 3],
  [2, 2, 4],
  [5, 3, 6],
  [6, 4, 6],
  [7, 5, 7],
  [10, 6, 8],
  [15, 8, 8],
];
const TIGHT: readonly Row[] = [
  [0.5, 0, 1],
  [1, 1, 1],
  [2, 2, 2],
  [4, 3, 4],
];

/** A load of steps, requests/s, each so many minutes long. */
function steps(...loads: readonly (readonly [minutes: number, requestsPerSecond: number])[]): Trace {
  const counts = loads.flatMap(([minutes, rate]) =>
    Array.from(
      { length: minutes * 60 },
      (_, second) => Math.floor((second + 1) * rate) - Math.floor(second * rate),
    ),
  );
  return createTrace({ name: 'steps' }, counts);
}

/** Three hours of a load that jumps, up to 6 requests/s, every so many seconds. */
function jumpy(seed: string, every: number): Trace {
  const random = createRandom(seed);
  let rate = 0;
  const counts = Array.from({ length: 3 * 3600 }, (_, second) => {
    if (second % every === 0) rate = 6 * random.next() ** 2;
    return Math.floor(rate) + (random.chance(rate % 1) ? 1 : 0);
  });
  return createTrace({ name: seed }, counts);
}

/** A time in which capacity costs more than the bid, ms. */
type Dear = { readonly from: number; readonly until: number };

type Figures = { readonly served: number; readonly paid: number; readonly launches: number };

type Master = { readonly pollInterval: number; readonly releaseAfter: ReleaseAfter };

/**
 * What the balancer's own control loop does with the trace, on the simulated EC2, in virtual time. An instance that is
 * released while it boots is paid for as EC2 bills it: a minute at least.
 */
async function controlLoop(
  trace: Trace,
  table: readonly Row[],
  master: Master,
  dear?: Dear,
): Promise<Figures> {
  const load = Array.from({ length: trace.seconds }, (_, second) => ({
    from: second * SECOND,
    requestsPerSecond: (trace.cumulative[second + 1] ?? 0) - (trace.cumulative[second] ?? 0),
  }));
  const world = createWorld({ load, table, master });
  world.start();
  const lives = new Map<string, number>();
  let served = 0;
  for (let now = 0; now < durationOf(trace); now += SECOND) {
    if (now === dear?.from) world.cloud.market.set({ price: 1 });
    if (now === dear?.until) world.cloud.market.set({ price: 0.05 });
    await world.until(now + SECOND);
    for (const { id } of world.live()) lives.set(id, (lives.get(id) ?? 0) + SECOND);
    served += world.listed().length * SECOND;
  }
  const paid = [...lives.values()].reduce((sum, life) => sum + Math.max(life, LEAST_BILLED), 0);
  return { served, paid, launches: lives.size };
}

/** What the simulation says that it would do. */
function simulated(trace: Trace, table: readonly Row[], master: Master, dear?: Dear): Figures {
  const settings = {
    loadTable: table.map(([requestsPerSecond, min, max]) => ({ requestsPerSecond, min, max })),
    master: { ...master, drainTime: MINUTE },
    slave: { spotBid: 0.1, bootTimeout: 10 * MINUTE },
  };
  const prices = [
    { from: 0, price: 0.05 },
    ...(dear === undefined
      ? []
      : [
          { from: dear.from, price: 1 },
          { from: dear.until, price: 0.05 },
        ]),
  ];
  const world = {
    market: createMarket([prices]),
    bootTime: PENDING_TIME + BOOT_TIME,
    interruptions: 0,
    random: createRandom('agreement'),
  };
  const run = runBalancer(trace, settings, world);
  return measure(trace, needOf(trace, settings.loadTable), run, world.market);
}

const POLL = 30 * SECOND;
const CASES: readonly {
  readonly name: string;
  readonly trace: Trace;
  readonly table: readonly Row[];
  readonly pollInterval?: number;
  readonly dear?: Dear;
}[] = [
  { name: 'a class of students, the manual’s table', trace: builtInTrace('burst', '1'), table: MANUAL },
  {
    name: 'steps up and down',
    trace: steps([10, 0], [20, 3], [15, 12], [30, 0.3], [20, 6], [15, 0]),
    table: MANUAL,
  },
  {
    name: 'a poll every three seconds',
    trace: steps([5, 0], [10, 3], [10, 8], [10, 0.6], [10, 0]),
    table: MANUAL,
    pollInterval: 3 * SECOND,
  },
  {
    name: 'a poll every five minutes',
    trace: steps([20, 0], [60, 3], [60, 8], [60, 0.6], [40, 0]),
    table: MANUAL,
    pollInterval: 5 * MINUTE,
  },
  { name: 'a tight table, which launches and releases all the time', trace: jumpy('one', 200), table: TIGHT },
  {
    // Most of these slaves are released before they serve. Each is paid for a minute, and what the limit does not allow at
    // one moment is launched at the next, as in the control loop.
    name: 'a load that jumps faster than slaves boot, up to the limit of launches an hour',
    trace: jumpy('two', 35),
    table: TIGHT,
  },
  { name: 'a load that jumps, the manual’s table', trace: jumpy('three', 400), table: MANUAL },
  {
    name: 'a price that rises above the bid for half an hour',
    trace: steps([10, 0], [110, 8], [20, 0]),
    table: MANUAL,
    dear: { from: 40 * MINUTE, until: 70 * MINUTE },
  },
];

/** By how much they may differ, as a share. */
const BOUND = 0.01;

for (const releaseAfter of ['never', 'auto'] as const) {
  describe(`with release_after = ${releaseAfter} the simulation agrees with the control loop itself on what serves and what is paid for, within 1 %`, () => {
    for (const { name, trace, table, pollInterval = POLL, dear } of CASES) {
      it(name, async () => {
        const real = await controlLoop(trace, table, { pollInterval, releaseAfter }, dear);
        const own = simulated(trace, table, { pollInterval, releaseAfter }, dear);
        assert.ok(real.served > 0 && real.launches > 0);
        for (const figure of ['served', 'paid', 'launches'] as const) {
          const difference = own[figure] / real[figure] - 1;
          assert.ok(
            Math.abs(difference) <= BOUND,
            `${figure}: ${own[figure]}, the control loop ${real[figure]}`,
          );
        }
      });
    }
  });
}
