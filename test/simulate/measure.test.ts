import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { rangeFor } from '../../src/policy/load-table.ts';
import type { Lifetime } from '../../src/simulate/lifetimes.ts';
import { constantMarket, createMarket } from '../../src/simulate/market.ts';
import { costs, measure } from '../../src/simulate/measure.ts';
import { loadAt, needOf, pollsOf } from '../../src/simulate/need.ts';
import { loadOf, meanOf, partsOf, wantedOf } from '../../src/simulate/series.ts';
import { createTrace, durationOf } from '../../src/simulate/trace.ts';

const TABLE = [
  { requestsPerSecond: 0.5, min: 0, max: 1 },
  { requestsPerSecond: 1, min: 1, max: 2 },
  { requestsPerSecond: 3, min: 2, max: 4 },
];

const anyTrace = fc
  .array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 300 })
  .map(counts => createTrace({ name: 'some' }, counts));

/** Lives within five minutes, at whole seconds. */
const anyLives = fc.array(
  fc.tuple(fc.nat(200), fc.nat(100), fc.nat(150), fc.nat(60)).map(
    ([launch, boot, serve, drain]): Lifetime => ({
      launchedAt: launch * SECOND,
      servesFrom: (launch + boot) * SECOND,
      servesUntil: (launch + boot + serve) * SECOND,
      endedAt: (launch + boot + serve + drain) * SECOND,
      pool: 0,
    }),
  ),
  { maxLength: 6 },
);

describe('what was needed', () => {
  it('is, in every second, the min of the table for the load of the minute around it', () => {
    fc.assert(
      fc.property(anyTrace, trace => {
        const need = needOf(trace, TABLE);
        for (let second = 0; second < trace.seconds; second++) {
          const [from, until] = [Math.max(0, second - 30), Math.min(trace.seconds, second + 30)];
          let requests = 0;
          for (let at = from; at < until; at++)
            requests += (trace.cumulative[at + 1] ?? 0) - (trace.cumulative[at] ?? 0);
          const load = requests / (until - from);
          assert.equal(loadAt(trace, second), load);
          const step = need.from.findLastIndex(at => at <= second * SECOND);
          assert.deepEqual({ min: need.slaves[step], max: need.atMost[step] }, rangeFor(TABLE, load));
        }
        assert.equal(need.until, durationOf(trace));
      }),
      { numRuns: 50 },
    );
  });
});

describe('the balancer’s readings', () => {
  it('come after 5 s, after 10 s and then on the beat, each with the requests since the one before', () => {
    const trace = createTrace({ name: 'some' }, new Uint8Array(100).fill(2));
    const { at, rate } = pollsOf(trace, 30 * SECOND, 5 * SECOND);
    assert.deepEqual(
      [...at].map(it => it / SECOND),
      [5, 10, 40, 70],
    );
    assert.deepEqual([...rate], [2, 2, 2, 2]);
    assert.deepEqual([...pollsOf(trace, 2 * SECOND, 5 * SECOND).at].slice(0, 3), [2000, 4000, 6000]);
  });

  it('lose no request', () => {
    fc.assert(
      fc.property(anyTrace, fc.integer({ min: 500, max: 90_000 }), (trace, pollInterval) => {
        const { at, rate } = pollsOf(trace, pollInterval, 5 * SECOND);
        const sum = rate.reduce(
          (total, it, poll) => total + (it * ((at[poll] ?? 0) - (at[poll - 1] ?? 0))) / 1000,
          0,
        );
        const last = Math.min(trace.seconds, Math.floor((at.at(-1) ?? 0) / 1000));
        assert.ok(Math.abs(sum - (trace.cumulative[last] ?? 0)) <= 9, `${sum}`);
      }),
    );
  });
});

describe('what came of a farm', () => {
  it('is what one finds by looking at every second', () => {
    fc.assert(
      fc.property(anyTrace, anyLives, (trace, lifetimes) => {
        const need = needOf(trace, TABLE);
        const outcome = measure(trace, need, { lifetimes, interruptions: 3 }, constantMarket(0.36));
        let [tooFew, missing] = [0, 0];
        for (let second = 0; second < trace.seconds; second++) {
          const at = second * SECOND;
          const serving = lifetimes.filter(it => it.servesFrom <= at && at < it.servesUntil).length;
          const lacking = rangeFor(TABLE, loadAt(trace, second)).min - serving;
          if (lacking <= 0) continue;
          missing += lacking * SECOND;
          tooFew += (trace.cumulative[second + 1] ?? 0) - (trace.cumulative[second] ?? 0);
        }
        assert.ok(Math.abs(outcome.tooFew - tooFew) < 1e-6, `${outcome.tooFew} instead of ${tooFew}`);
        assert.equal(outcome.missing, missing);
        const seconds = lifetimes.reduce(
          (sum, it) => sum + Math.max(60, (it.endedAt - it.launchedAt) / 1000),
          0,
        );
        assert.ok(Math.abs(outcome.cost - seconds * 0.0001) < 1e-9);
        assert.equal(outcome.paid, seconds * 1000);
        assert.deepEqual([outcome.launches, outcome.interruptions], [lifetimes.length, 3]);
      }),
      { numRuns: 200 },
    );
  });

  it('is told day by day', () => {
    const trace = createTrace({ name: 'two days and a bit' }, new Uint8Array(2 * 86_400 + 3600).fill(2));
    const lifetimes = [
      { launchedAt: 0, servesFrom: 12 * HOUR, servesUntil: 30 * HOUR, endedAt: 36 * HOUR, pool: 0 },
    ];
    const { days, tooFew } = measure(
      trace,
      needOf(trace, TABLE),
      { lifetimes, interruptions: 0 },
      constantMarket(1),
    );
    assert.deepEqual(
      days.map(it => [it.tooFew / 7200, it.missing / HOUR, Math.round(it.cost)]),
      [
        [12, 12, 24],
        [18, 18, 12],
        [1, 1, 0],
      ],
    );
    assert.equal(tooFew, 31 * 7200);
  });

  it('costs the same however the time is divided', () => {
    const market = createMarket([
      [
        { from: 0, price: 1 },
        { from: 2 * MINUTE, price: 5 },
      ],
      [{ from: 0, price: 3 }],
    ]);
    fc.assert(
      fc.property(anyLives, fc.integer({ min: 1, max: 50 }), (lifetimes, count) => {
        const sum = (parts: number) =>
          costs(lifetimes, market, (300 * SECOND) / parts, parts).reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum(count) - sum(1)) < 1e-9);
      }),
    );
  });
});

describe('the parts of a picture', () => {
  it('have on average what the whole has', () => {
    fc.assert(
      fc.property(anyTrace, anyLives, fc.integer({ min: 1, max: 100 }), (trace, lifetimes, most) => {
        const parts = partsOf(trace, most);
        assert.ok(parts.count <= most);
        const need = needOf(trace, TABLE);
        const { serving } = measure(trace, need, { lifetimes, interruptions: 0 }, constantMarket(1));
        const end = durationOf(trace);
        const served = lifetimes.reduce(
          (sum, it) => sum + Math.max(0, Math.min(it.servesUntil, end) - Math.min(it.servesFrom, end)),
          0,
        );
        const total = (values: Float64Array) => values.reduce((sum, it) => sum + it * parts.span, 0);
        assert.ok(Math.abs(total(meanOf(serving, parts)) - served) < 1e-3);
        const load = loadOf(trace, parts);
        assert.ok(Math.abs(total(load.mean) / 1000 - (trace.cumulative.at(-1) ?? 0)) < 1e-6);
        assert.ok(load.mean.every((mean, part) => mean <= (load.most[part] ?? 0)));
        const wanted = wantedOf(need, parts);
        assert.ok(wanted.min.every((min, part) => min <= (wanted.max[part] ?? 0) + 1e-9));
      }),
      { numRuns: 100 },
    );
  });
});
