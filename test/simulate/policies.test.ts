import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { parseConfig } from '../../src/config/load.ts';
import { BUILT_INS, builtInTrace, isBuiltIn } from '../../src/simulate/built-in.ts';
import type { World } from '../../src/simulate/chance.ts';
import { constantMarket, createMarket } from '../../src/simulate/market.ts';
import { measure, servingOf } from '../../src/simulate/measure.ts';
import { needOf } from '../../src/simulate/need.ts';
import { EXAMPLE } from '../../src/simulate/options.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { runBalancer } from '../../src/simulate/run-balancer.ts';
import { runFixed } from '../../src/simulate/run-fixed.ts';
import { runOriginal } from '../../src/simulate/run-original.ts';
import type { Settings } from '../../src/simulate/settings.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { createTrace, type Trace } from '../../src/simulate/trace.ts';

const SETTINGS: Settings = {
  loadTable: [
    { requestsPerSecond: 0.5, min: 0, max: 1 },
    { requestsPerSecond: 1, min: 1, max: 2 },
    { requestsPerSecond: 5, min: 3, max: 4 },
  ],
  master: { pollInterval: 30 * SECOND, drainTime: MINUTE },
  slave: { spotBid: 0.1, bootTimeout: 10 * MINUTE },
};

function worldOf(more: Partial<World> = {}): World {
  return {
    market: constantMarket(0.05),
    bootTime: 90 * SECOND,
    interruptions: 0,
    random: createRandom('policies'),
    ...more,
  };
}

/** A load that is constant for some hours, then another. */
function constant(...loads: readonly (readonly [hours: number, requestsPerSecond: number])[]): Trace {
  const counts = loads.flatMap(([hours, rate]) => Array<number>(hours * 3600).fill(rate));
  return createTrace({ name: 'constant' }, counts);
}

const servingAt = (run: ReturnType<typeof runBalancer>, at: number) => {
  const { from, slaves } = servingOf(run.lifetimes);
  return slaves[from.findLastIndex(it => it <= at)] ?? 0;
};

describe('this balancer in a simulation', () => {
  it('launches at the first load, and drains what it releases', () => {
    const run = runBalancer(constant([1, 6], [1, 0]), SETTINGS, worldOf());
    assert.equal(run.lifetimes.length, 3);
    for (const { launchedAt, servesFrom, servesUntil, endedAt } of run.lifetimes) {
      assert.ok(launchedAt < 15 * SECOND && servesFrom - launchedAt < 92 * SECOND);
      assert.ok(servesUntil > HOUR && servesUntil <= HOUR + MINUTE);
      assert.ok(endedAt - servesUntil >= MINUTE && endedAt - servesUntil < MINUTE + SECOND);
    }
  });

  it('replaces a slave when EC2 gives notice, before it goes', () => {
    const run = runBalancer(constant([200, 6]), SETTINGS, worldOf({ interruptions: 0.1 }));
    assert.ok(run.interruptions > 30 && run.interruptions < 90, `${run.interruptions}`);
    assert.equal(run.lifetimes.length - run.interruptions, 3);
    const { served } = measure(
      constant([200, 6]),
      needOf(constant([200, 6]), SETTINGS.loadTable),
      run,
      constantMarket(1),
    );
    assert.ok(served > 3 * 199 * HOUR - run.interruptions * 3 * MINUTE);
  });

  it('with slaves that boot for too long launches slower and slower', () => {
    const run = runBalancer(constant([12, 2]), SETTINGS, worldOf({ bootTime: HOUR }));
    assert.equal(servingAt(run, 6 * HOUR), 0);
    // Five attempts of ten minutes, then the waits of 10, 20, 40 … minutes between single ones.
    assert.ok(run.lifetimes.length >= 8 && run.lifetimes.length <= 14, `${run.lifetimes.length} launches`);
    for (const { endedAt, launchedAt } of run.lifetimes.slice(0, 5))
      assert.ok(endedAt - launchedAt < 10 * MINUTE + SECOND);
  });

  it('buys on demand when the price has been above the bid for five minutes, and gives up what it bought when it falls', () => {
    const market = createMarket([
      [
        { from: 0, price: 0.3 },
        { from: HOUR, price: 0.05 },
      ],
    ]);
    const slave = { ...SETTINGS.slave, instanceTypes: ['m5.large'], onDemand: 2 };
    const settings = { ...SETTINGS, slave };
    const trace = constant([3, 6]);
    const run = runBalancer(trace, settings, worldOf({ market }));
    assert.equal(servingAt(run, 4 * MINUTE), 0);
    assert.equal(servingAt(run, 10 * MINUTE), 2);
    const bought = run.lifetimes.filter(it => it.onDemand !== undefined);
    assert.deepEqual(
      bought.map(it => it.onDemand),
      [0.096, 0.096],
    );
    for (let at = 10 * MINUTE; at < 2 * HOUR; at += MINUTE)
      assert.ok(servingAt(run, at) >= 2, `${at / MINUTE}`);
    // Spot is tried every five minutes, boots and serves; then they drain.
    for (const it of bought)
      assert.ok(it.endedAt > HOUR && it.endedAt < HOUR + 10 * MINUTE, `${it.endedAt / MINUTE}`);
    assert.equal(servingAt(run, 2 * HOUR), 3);
    const { cost } = measure(trace, needOf(trace, settings.loadTable), run, market);
    const spot = run.lifetimes
      .filter(it => it.onDemand === undefined)
      .reduce((sum, it) => sum + ((it.endedAt - it.launchedAt) / HOUR) * 0.05, 0);
    const full = bought.reduce((sum, it) => sum + ((it.endedAt - it.launchedAt) / HOUR) * 0.096, 0);
    assert.ok(Math.abs(cost - spot - full) < 1e-9);
  });

  it('is compared with and without on_demand where spot fails', () => {
    const market = createMarket([[{ from: 0, price: 0.3 }]]);
    const compared = (onDemand: number, world: World) =>
      simulate({
        trace: constant([1, 6]),
        own: {
          name: 'own',
          settings: {
            ...SETTINGS,
            slave: { ...SETTINGS.slave, instanceTypes: ['m5.large'], onDemand },
          },
        },
        world,
        suggest: false,
      }).policies;
    const costs = (onDemand: number) =>
      compared(onDemand, worldOf({ market })).flatMap(it =>
        ['balancer', 'onDemand', 'spot'].includes(it.id) ? [[it.id, it.title, it.outcome.cost > 0]] : [],
      );
    assert.deepEqual(costs(0), [
      ['balancer', 'this balancer', false],
      ['onDemand', 'on_demand = 3', true],
    ]);
    assert.deepEqual(costs(2), [
      ['balancer', 'this balancer', true],
      ['spot', 'on_demand = 0', false],
    ]);
    assert.ok(compared(0, worldOf()).every(it => it.id !== 'onDemand'));
  });

  it('waits while the price is above the bid', () => {
    const market = createMarket([
      [
        { from: 0, price: 0.2 },
        { from: HOUR, price: 0.05 },
      ],
    ]);
    const { lifetimes } = runBalancer(constant([3, 2]), SETTINGS, worldOf({ market }));
    assert.equal(lifetimes.length, 1);
    const [first] = lifetimes;
    assert.ok(
      first !== undefined && first.launchedAt >= HOUR && first.launchedAt <= HOUR + 5 * MINUTE + SECOND,
    );
  });

  it('of no load, or of a trace of a second, does nothing', () => {
    assert.deepEqual(runBalancer(constant([5, 0]), SETTINGS, worldOf()).lifetimes, []);
    assert.deepEqual(runBalancer(createTrace({ name: 'a second' }, [9]), SETTINGS, worldOf()).lifetimes, []);
  });
});

describe('the Perl original in a simulation', () => {
  it('sees a burst after a quiet week only when the average of all the time does', () => {
    const trace = constant([168, 0.05], [24, 10]);
    const { lifetimes } = runOriginal(trace, SETTINGS, worldOf());
    const launched = lifetimes.map(it => (it.launchedAt - 168 * HOUR) / HOUR);
    // (0.05 + 1/30) * 168 + 10 h = 168 + h, with the requests of its own polls.
    assert.ok(launched.length >= 1 && launched.every(it => it > 16 && it < 18.5), `after ${launched} h`);
  });

  it('keeps its farm for hours after the load has gone, and then ends slaves without a drain', () => {
    const trace = constant([2, 2], [5, 0]);
    const { lifetimes } = runOriginal(trace, SETTINGS, worldOf());
    const [slave] = lifetimes;
    assert.ok(lifetimes.length === 1 && slave !== undefined);
    assert.ok(slave.servesUntil > 6 * HOUR && slave.servesUntil === slave.endedAt);
  });

  it('never notices that EC2 took its slave', () => {
    const trace = constant([100, 2]);
    const run = runOriginal(trace, SETTINGS, worldOf({ interruptions: 0.5 }));
    assert.equal(run.lifetimes.length, 1);
    assert.equal(run.interruptions, 1);
    assert.equal(servingAt(run, 99 * HOUR), 0);
  });

  it('lets an instance run on for ever whose request it cancels while it boots', () => {
    const trace = createTrace({ name: 'a spike' }, [
      ...Array<number>(35).fill(4),
      ...Array<number>(7200).fill(0),
    ]);
    const run = runOriginal(trace, SETTINGS, worldOf({ bootTime: 10 * MINUTE }));
    assert.ok(run.lifetimes.length > 0);
    for (const { servesFrom, servesUntil, endedAt } of run.lifetimes) {
      assert.ok(servesFrom >= servesUntil);
      assert.equal(endedAt, trace.seconds * SECOND);
    }
  });
});

describe('a fixed farm in a simulation', () => {
  it('serves all the time', () => {
    const run = runFixed(constant([10, 6]), 3, worldOf());
    assert.deepEqual(
      run.lifetimes.map(it => [it.servesFrom, it.endedAt]),
      Array(3).fill([0, 10 * HOUR]),
    );
  });

  it('replaces what EC2 takes', () => {
    const run = runFixed(constant([500, 6]), 2, worldOf({ interruptions: 0.1, bootTime: 5 * MINUTE }));
    assert.equal(run.lifetimes.length, 2 + run.interruptions);
    assert.ok(run.interruptions > 60 && run.interruptions < 150, `${run.interruptions}`);
  });
});

describe('the built-in traces', () => {
  for (const name of BUILT_INS) {
    it(`${name}: the same seed gives the same requests, another seed others`, () => {
      assert.ok(isBuiltIn(name));
      const one = builtInTrace(name, 'a');
      assert.deepEqual(builtInTrace(name, 'a'), one);
      assert.notDeepEqual(builtInTrace(name, 'b').cumulative, one.cumulative);
      const need = needOf(one, SETTINGS.loadTable);
      assert.ok(need.most === 3 && need.slaves.includes(0));
    });
  }
});

describe('the release policy', () => {
  const config = parseConfig('the example', EXAMPLE).config;
  assert.ok(config);
  const world = { market: constantMarket(0.05), interruptions: 0, random: createRandom('release') };
  const farm = (trace: Trace, bootTime: number) =>
    simulate({ trace, own: { name: 'x', settings: config }, world: { ...world, bootTime }, suggest: false });

  /** Cost beside the best possible, and percent of the requests that met too few slaves: at most so much. */
  const BOUNDS = [
    ['day', 90 * SECOND, 1.12, 0.81],
    ['day', 180 * SECOND, 1.12, 0.61],
    ['week', 90 * SECOND, 1.1, 0.45],
    ['burst', 90 * SECOND, 1.23, 8.2],
  ] as const;
  for (const [name, bootTime, cost, short] of BOUNDS) {
    it(`auto costs at most ${cost} times the best on the trace ${name} at a boot of ${bootTime / SECOND} s`, () => {
      const { policies, requests } = farm(builtInTrace(name, '1'), bootTime);
      const auto = policies.find(it => it.id === 'auto');
      assert.ok(auto?.timesBest !== undefined && auto.timesBest <= cost + 0.005, String(auto?.timesBest));
      assert.ok((100 * auto.outcome.tooFew) / requests <= short);
    });
  }

  it('launches nothing within the keep time of a release at a constant load', () => {
    const { policies } = farm(constant([1, 4], [2, 1.5]), 90 * SECOND);
    const auto = policies.find(it => it.id === 'auto');
    assert.ok(auto);
    const keepTime = 4 * (90 + 60) * SECOND;
    for (const { servesUntil } of auto.run.lifetimes)
      for (const { launchedAt } of auto.run.lifetimes)
        assert.ok(
          launchedAt <= servesUntil || launchedAt - servesUntil > keepTime || servesUntil > 3 * HOUR - 1,
        );
  });

  it('auto does not launch and release more often for being polled every few seconds; never does', () => {
    const trace = builtInTrace('week', '1');
    const launches = (releaseAfter: 'auto' | 'never', pollInterval: number) =>
      runBalancer(
        trace,
        { ...config, master: { ...config.master, releaseAfter, pollInterval } },
        { ...world, bootTime: 90 * SECOND },
      ).lifetimes.length / 7;
    const usual = launches('auto', 30 * SECOND);
    for (const poll of [SECOND, 6 * SECOND, 15 * SECOND]) {
      const often = launches('auto', poll);
      assert.ok(often < 1.25 * usual, `${often} a day, ${usual} at 30 s`);
    }
    assert.ok(launches('never', 6 * SECOND) > 20 * launches('never', 30 * SECOND));
  });

  it('asks in its second figure for no more than can be known', () => {
    const { policies } = farm(builtInTrace('day', '1'), 90 * SECOND);
    for (const { id, tooFewKnown, outcome } of policies)
      if (id === 'balancer' || id === 'auto') assert.ok(tooFewKnown < outcome.tooFew);
  });
});
