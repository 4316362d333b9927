import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { rangeFor } from '../../src/policy/load-table.ts';
import {
  ASSUMED_BOOT,
  bootTimeOf,
  certainLoad,
  keepTimeOf,
  keptRange,
  keptUntil,
  noteWanted,
  withBoot,
} from '../../src/policy/release.ts';

const TABLE = [
  { requestsPerSecond: 0.5, min: 0, max: 2 },
  { requestsPerSecond: 1, min: 1, max: 3 },
  { requestsPerSecond: 5, min: 3, max: 6 },
];

describe('the boot time', () => {
  for (const [what, boots, expected] of [
    ['is assumed while none is known', [], ASSUMED_BOOT],
    ['is the only one', [40 * SECOND], 40 * SECOND],
    ['is the lower of two', [80 * SECOND, 40 * SECOND], 40 * SECOND],
    ['is the median of several', [300, 50, 70, 60, 65].map(it => it * SECOND), 65 * SECOND],
  ] as const) {
    it(what, () => assert.equal(bootTimeOf(boots), expected));
  }

  it('follows the latest boots', () => {
    let boots: readonly number[] = [];
    for (let number = 0; number < 40; number++) boots = withBoot(boots, number < 20 ? 200 : 100);
    assert.equal(bootTimeOf(boots), 100);
    assert.ok(boots.length <= 20);
  });
});

describe('the keep time', () => {
  for (const [releaseAfter, expected] of [
    ['never', undefined],
    ['auto', 10 * MINUTE],
    [5 * MINUTE, 5 * MINUTE],
    [0, 0],
  ] as const) {
    it(`with release_after = ${releaseAfter} is ${expected} ms at a boot of 90 s and a drain of 60 s`, () =>
      assert.equal(keepTimeOf(releaseAfter, 90 * SECOND, 60 * SECOND), expected));
  }
});

describe('the load that is certain', () => {
  const of = (loads: Readonly<Record<number, number>>) => certainLoad(seconds => loads[seconds] ?? 0);

  for (const [what, loads, expected] of [
    ['is that of 40 s, when the load is steady', { 10: 3, 20: 3, 30: 3, 40: 3 }, 3],
    ['is not that of a few requests at once', { 10: 0.6, 20: 0.3, 30: 0.2, 40: 0.15 }, 0.15],
    ['rises with a burst within 10 s', { 10: 10, 20: 5, 30: 3.3, 40: 2.5 }, 8],
    ['is nothing without requests', {}, 0],
  ] as const) {
    it(what, () => assert.ok(Math.abs(of(loads) - expected) < 1e-9, `${of(loads)}`));
  }
});

describe('slaves that min no longer asks for', () => {
  const KEEP = 10 * MINUTE;
  const wanted = noteWanted(noteWanted([], 3, 0), 1, 5 * MINUTE);

  for (const [what, load, now, expected] of [
    ['stay for the keep time', { certain: 1, mean: 5 }, 5 * MINUTE, { min: 1, max: 3 }],
    ['go after it', { certain: 1, mean: 1 }, KEEP + 1, { min: 1, max: 1 }],
    ['go at once above max', { certain: 0.5, mean: 0.5 }, 5 * MINUTE, { min: 0, max: 2 }],
    [
      'stay above max while the mean of five minutes allows it',
      { certain: 0.1, mean: 1 },
      MINUTE,
      { min: 0, max: 3 },
    ],
    ['are never more than min ever asked for', { certain: 0.5, mean: 0.5 }, 14 * MINUTE, { min: 0, max: 1 }],
  ] as const) {
    it(what, () => {
      const noted = now < 5 * MINUTE ? noteWanted([], 3, 0) : wanted;
      assert.deepEqual(keptRange(TABLE, load, noted, KEEP, now), expected);
    });
  }

  it('are kept until the keep time after min last asked for so many, or for more', () => {
    assert.equal(keptUntil(wanted, 1, KEEP), 15 * MINUTE);
    assert.equal(keptUntil(wanted, 3, KEEP), 10 * MINUTE);
    assert.equal(keptUntil(wanted, 4, KEEP), undefined);
  });

  it('leave at least min, and never more than max or what was wanted within the keep time', () => {
    const rates = fc.double({ min: 0, max: 12, noNaN: true });
    const history = fc.array(fc.tuple(rates, rates, fc.integer({ min: 1, max: 20 * MINUTE })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: KEEP }), (steps, keep) => {
        let [noted, now]: [readonly number[], number] = [[], 0];
        const asked: { readonly at: number; readonly min: number }[] = [];
        for (const [certain, mean, wait] of steps) {
          now += wait;
          const row = rangeFor(TABLE, certain);
          asked.push({ at: now, min: row.min });
          noted = noteWanted(noted, row.min, now);
          const range = keptRange(TABLE, { certain, mean }, noted, keep, now);
          const lately = Math.max(...asked.filter(it => now - it.at <= keep).map(it => it.min));
          assert.equal(range.min, row.min);
          assert.equal(
            range.max,
            Math.max(row.min, Math.min(lately, Math.max(row.max, rangeFor(TABLE, mean).max))),
          );
        }
      }),
    );
  });
});
