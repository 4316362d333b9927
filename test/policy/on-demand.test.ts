import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import {
  afterSpotRefusal,
  nextSpotAttempt,
  onDemandToBuy,
  replaceOnDemand,
  type SpotOutage,
} from '../../src/policy/on-demand.ts';
import type { Candidate, Standing } from '../../src/policy/scale.ts';

const LACKING = { lacking: 3, allowed: 2, bought: 0 };

/** Refusals at these moments. */
function outageOf(...moments: readonly number[]): SpotOutage | undefined {
  return moments.reduce<SpotOutage | undefined>(afterSpotRefusal, undefined);
}

describe('buying on demand', () => {
  test('nothing is bought before spot has failed for five minutes, and not without a refusal of just now', () => {
    const table: [outage: SpotOutage | undefined, now: number, count: number][] = [
      [undefined, 0, 0],
      [outageOf(0), 0, 0],
      [outageOf(0, 4 * MINUTE), 4 * MINUTE, 0],
      [outageOf(0, 4 * MINUTE), 6 * MINUTE, 0],
      [outageOf(0, 5 * MINUTE), 5 * MINUTE + SECOND, 2],
      [outageOf(0, 5 * MINUTE), 7 * MINUTE, 0],
      // Nobody asked in between.
      [outageOf(0, 20 * MINUTE), 20 * MINUTE, 0],
      [outageOf(0, 10 * MINUTE, 20 * MINUTE), 20 * MINUTE, 2],
    ];
    for (const [outage, now, count] of table)
      assert.equal(onDemandToBuy(outage, LACKING, now), count, JSON.stringify({ outage, now }));
  });

  test('never more than are lacking, nor than are allowed with those that run already', () => {
    const outage = outageOf(0, 5 * MINUTE);
    const count = (change: Partial<typeof LACKING>) =>
      onDemandToBuy(outage, { ...LACKING, ...change }, 5 * MINUTE);
    assert.equal(count({ lacking: 1 }), 1);
    assert.equal(count({ lacking: 0 }), 0);
    assert.equal(count({ bought: 1 }), 1);
    assert.equal(count({ bought: 2 }), 0);
    assert.equal(count({ bought: 5 }), 0);
    assert.equal(count({ allowed: 0 }), 0);
  });

  test('after each purchase spot is asked again first', () => {
    const outage = outageOf(0, 5 * MINUTE);
    assert.ok(outage);
    assert.equal(onDemandToBuy({ ...outage, used: true }, LACKING, 5 * MINUTE), 0);
    assert.equal(
      onDemandToBuy(afterSpotRefusal({ ...outage, used: true }, 6 * MINUTE), LACKING, 6 * MINUTE),
      2,
    );
  });

  test('spot is asked when the five minutes are over, and every five minutes from then on', () => {
    assert.equal(nextSpotAttempt({ since: 0, at: 2 * MINUTE, used: false }), 5 * MINUTE);
    assert.equal(nextSpotAttempt({ since: 0, at: 5 * MINUTE, used: false }), 10 * MINUTE);
    assert.equal(nextSpotAttempt({ since: 0, at: 32 * MINUTE, used: true }), 37 * MINUTE);
  });
});

describe('giving up slaves on demand', () => {
  const of = (kinds: string): Candidate[] =>
    [...kinds].map((letter, index) => ({
      id: `i-${index}`,
      standing: STANDINGS[letter.toLowerCase()] ?? 'serving',
      launchedAt: index,
      onDemand: letter !== letter.toLowerCase(),
    }));
  /** In capitals: on demand. */
  const STANDINGS: Readonly<Record<string, Standing>> = {
    s: 'serving',
    b: 'booting',
    x: 'silent',
    d: 'draining',
    l: 'leaving',
  };
  const replaced = (kinds: string, min: number, ceiling = 9, more: object = {}) =>
    replaceOnDemand(
      {
        range: { min, max: ceiling },
        loadIsKnown: true,
        ceiling,
        slaves: of(kinds),
        inFlight: 0,
        ...more,
      },
      0,
    );

  test('spot slaves are launched in their place, and one goes for each that serves', () => {
    const table: [kinds: string, min: number, launch: number, release: readonly string[]][] = [
      ['SS', 2, 2, []],
      ['sS', 2, 1, []],
      ['SSbb', 2, 0, []],
      ['SSsb', 2, 0, ['i-1']],
      ['SSss', 2, 0, ['i-1', 'i-0']],
      ['SSxb', 2, 1, []],
      // Only what min needs runs on demand.
      ['SSS', 1, 1, ['i-2', 'i-1']],
      ['SS', 0, 0, ['i-1', 'i-0']],
      // First those that serve nobody.
      ['SBs', 2, 1, ['i-1']],
      ['ss', 2, 0, []],
      ['Ds', 1, 0, []],
    ];
    for (const [kinds, min, launch, release] of table) {
      const { hasNoRoom: _, ...answer } = replaced(kinds, min);
      assert.deepEqual(answer, { launch, release }, `${kinds}, min ${min}`);
    }
  });

  test('never above the largest max, and nothing while the load is unknown', () => {
    assert.deepEqual(replaced('SS', 2, 3), { launch: 1, release: [], hasNoRoom: false });
    assert.deepEqual(replaced('SS', 2, 2), { launch: 0, release: [], hasNoRoom: true });
    assert.deepEqual(replaced('SS', 2, 3, { inFlight: 1 }), { launch: 0, release: [], hasNoRoom: false });
    assert.deepEqual(replaced('SSss', 2, 9, { loadIsKnown: false }).release, []);
  });

  test('whatever there is: after the release at least min serve that served, or all of them stay', () => {
    const letters = ['s', 'S', 'b', 'B', 'x', 'X', 'd', 'L'];
    for (let number = 0; number < letters.length ** 4; number++) {
      const kinds = Array.from(
        { length: 4 },
        (_, place) => letters[Math.floor(number / letters.length ** place) % letters.length],
      ).join('');
      for (const min of [0, 1, 2, 3]) {
        const { launch, release } = replaced(kinds, min, 4);
        const serving = of(kinds).filter(it => it.standing === 'serving');
        const left = serving.filter(it => !release.includes(it.id)).length;
        assert.ok(left >= Math.min(min, serving.length), `${kinds}, min ${min}`);
        assert.ok(of(kinds).filter(it => it.standing !== 'draining').length + launch <= 4 || launch === 0);
      }
    }
  });
});
