import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { constantMarket } from '../../src/simulate/market.ts';
import { queued } from '../../src/simulate/queue.ts';
import { createRandom } from '../../src/simulate/random.ts';
import type { Settings } from '../../src/simulate/settings.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { createTrace, type Trace } from '../../src/simulate/trace.ts';

const traceOf = (counts: readonly number[]) => createTrace({ name: 'people' }, counts);

/** Nobody, then so many requests/s, then nobody, minutes each. */
function flood(quiet: number, busy: number, rate: number): Trace {
  return traceOf([
    ...Array<number>(quiet * 60).fill(0),
    ...Array<number>(busy * 60).fill(rate),
    ...Array<number>(quiet * 60).fill(0),
  ]);
}

describe('the queue at Apache', () => {
  it('completes no more than its workers can, and everything in the end', () => {
    const { completed, saturated } = queued(flood(5, 5, 8), { workers: 16, serviceTime: 8 });
    const rate = ((completed.cumulative[590] ?? 0) - (completed.cumulative[400] ?? 0)) / 190;
    assert.ok(Math.abs(rate - 2) < 0.1, `${rate} requests/s`);
    assert.deepEqual([saturated[299], saturated[400], saturated[599]], [0, 1, 1]);
    const roomy = queued(flood(5, 5, 8), { workers: 100, serviceTime: 8 });
    assert.equal(roomy.completed.cumulative.at(-1), 5 * 60 * 8);
    assert.ok(!roomy.saturated.includes(1));
  });

  it('never completes what has not come, nor more at a time than there are workers', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (given, workers, s) => {
          const trace = traceOf(given);
          const { completed, saturated } = queued(trace, { workers, serviceTime: s });
          for (let second = 1; second <= trace.seconds; second++) {
            const done = completed.cumulative[second] ?? 0;
            const waiting = (trace.cumulative[second] ?? 0) - done;
            assert.ok(waiting >= 0 && done >= (completed.cumulative[second - 1] ?? 0));
            assert.ok(done - (completed.cumulative[Math.max(0, second - s)] ?? 0) <= workers);
            assert.equal(saturated[second - 1], waiting >= workers ? 1 : 0);
          }
        },
      ),
    );
  });
});

describe('a flood that Apache cannot serve, simulated', () => {
  const settings: Settings = {
    loadTable: [
      { requestsPerSecond: 3, min: 1, max: 2 },
      { requestsPerSecond: 6, min: 2, max: 3 },
    ],
    master: { pollInterval: 30 * SECOND, drainTime: MINUTE },
    slave: { spotBid: 0.1, bootTimeout: 10 * MINUTE },
  };
  for (const releaseAfter of ['never', 'auto'] as const) {
    const { policies, queue } = simulate({
      trace: flood(10, 20, 8),
      own: { name: 'x', settings: { ...settings, master: { ...settings.master, releaseAfter } } },
      world: {
        market: constantMarket(0.05),
        bootTime: 90 * SECOND,
        interruptions: 0,
        random: createRandom('queue'),
      },
      suggest: false,
      server: { workers: 16, serviceTime: 8 },
    });
    const of = (id: string) => policies.find(it => it.id === id)?.run.lifetimes ?? [];

    it(`launches within three polls with release_after = ${releaseAfter}, and never where overload is ignored`, () => {
      const first = Math.min(...of('balancer').map(it => it.launchedAt)) - 10 * MINUTE;
      assert.ok(first > 0 && first <= 3 * 30 * SECOND, `${first / SECOND} s`);
      assert.equal(of('balancer').length, 2, 'as many as the last row asks for');
      assert.deepEqual(of('ignore'), []);
      assert.ok((queue?.overloaded ?? 0) > 19 * 60);
    });
  }
});
