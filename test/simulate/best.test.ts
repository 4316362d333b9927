import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SECOND } from '../../src/clock.ts';
import { constantMarket, createMarket, LEAST_BILLED, type Market } from '../../src/simulate/market.ts';
import { measure } from '../../src/simulate/measure.ts';
import type { Need } from '../../src/simulate/need.ts';
import { intervalsOf, runBest } from '../../src/simulate/run-best.ts';
import { createTrace, type Trace } from '../../src/simulate/trace.ts';

/** So long is a step of these little worlds. */
const STEP = 30 * SECOND;

/** How many slaves are needed in each step. */
function needOfSteps(slaves: readonly number[]): Need {
  return {
    from: Float64Array.from(slaves, (_, step) => step * STEP),
    slaves: Int32Array.from(slaves),
    atMost: Int32Array.from(slaves),
    until: slaves.length * STEP,
    most: Math.max(0, ...slaves),
  };
}

function emptyTrace(steps: number): Trace {
  return createTrace({ name: 'nothing' }, new Uint8Array((steps * STEP) / SECOND).fill(1));
}

/**
 * The least that any schedule costs, by trying them all: every multiset of slaves, each launched a boot time before some
 * step and ended after some later one.
 */
function bruteForce(slaves: readonly number[], bootTime: number, market: Market): number {
  const known = new Map<string, number>();
  const most = Math.max(...slaves);
  /** The least for the steps from `step` on, when the slaves that serve now have served since these steps. */
  function least(step: number, since: readonly number[]): number {
    const key = `${step} ${since}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let best = Number.POSITIVE_INFINITY;
    if (step === slaves.length) best = since.reduce((sum, from) => sum + bill(from, step), 0);
    else {
      // Which of those that serve are kept: any part of them.
      for (let kept = 0; kept < 2 ** since.length; kept++) {
        const staying = since.filter((_, index) => (kept >> index) & 1);
        const ended = since.filter((_, index) => !((kept >> index) & 1));
        const paid = ended.reduce((sum, from) => sum + bill(from, step), 0);
        const lacking = Math.max(0, (slaves[step] ?? 0) - staying.length);
        // One more than is needed now can pay: the least bill may be less now than when it is.
        for (let fresh = lacking; fresh === lacking || staying.length + fresh <= most; fresh++) {
          const then = [...staying, ...Array<number>(fresh).fill(step)];
          best = Math.min(best, paid + least(step + 1, then));
        }
      }
    }
    known.set(key, best);
    return best;
  }
  const bill = (from: number, until: number) => {
    const launchedAt = from * STEP - bootTime;
    return market.leastCost(launchedAt, Math.max(until * STEP, launchedAt + LEAST_BILLED));
  };
  return least(0, []);
}

function costOfBest(slaves: readonly number[], bootTime: number, market: Market): number {
  const need = needOfSteps(slaves);
  const outcome = measure(emptyTrace(slaves.length), need, runBest(need, { market, bootTime }), market);
  assert.equal(outcome.tooFew, 0);
  assert.equal(outcome.missing, 0);
  return outcome.cost;
}

const movingPrices = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
  .map(prices => createMarket([prices.map((price, step) => ({ from: step * 2 * STEP, price }))]));
const anyMarket = fc.oneof(fc.constant(constantMarket(0.12)), movingPrices);

const close = (one: number, other: number) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(other));

describe('the best that anyone could do', () => {
  it('costs what the cheapest of all schedules costs, at constant and at moving prices', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(60 * SECOND, 90 * SECOND, 130 * SECOND),
        anyMarket,
        (slaves, bootTime, market) => {
          const [own, least] = [costOfBest(slaves, bootTime, market), bruteForce(slaves, bootTime, market)];
          assert.ok(close(own, least), `${own}, the cheapest ${least}`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('with boots shorter than the least bill, that is so of one slave at a constant price, and it is never less', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(0, 15 * SECOND, 40 * SECOND),
        fc.option(movingPrices),
        (slaves, bootTime, moving) => {
          const market = moving ?? constantMarket(0.12);
          const [own, least] = [costOfBest(slaves, bootTime, market), bruteForce(slaves, bootTime, market)];
          if (Math.max(...slaves) <= 1 && moving === null)
            assert.ok(close(own, least), `${own}, the cheapest ${least}`);
          else assert.ok(own >= least - 1e-9);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps a slave through a gap that is shorter than a boot, and ends it before a longer one', () => {
    const launches = (gap: number) => {
      const need = needOfSteps([1, ...Array<number>(gap).fill(0), 1]);
      return runBest(need, { market: constantMarket(1), bootTime: 90 * SECOND }).lifetimes.length;
    };
    assert.deepEqual([1, 2, 4, 10].map(launches), [1, 1, 2, 2]);
  });

  it('launches exactly a boot time ahead, of a range of boot times the shortest', () => {
    const need = needOfSteps([0, 0, 0, 0, 2, 1]);
    const { lifetimes } = runBest(need, { market: constantMarket(1), bootTime: [60 * SECOND, 120 * SECOND] });
    assert.deepEqual(
      lifetimes.map(it => [it.launchedAt, it.servesFrom, it.servesUntil].map(at => at / STEP)),
      [
        [2, 4, 6],
        [2, 4, 5],
      ],
    );
  });

  it('is nothing where nothing is needed', () => {
    assert.equal(costOfBest([0, 0, 0], 90 * SECOND, constantMarket(1)), 0);
    assert.deepEqual(intervalsOf(needOfSteps([0, 0]), 1), []);
  });
});
