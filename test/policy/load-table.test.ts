import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LoadTable } from '../../src/config/config.ts';
import { largestMax, rangeFor } from '../../src/policy/load-table.ts';

function table(...rows: [number, number, number][]): LoadTable {
  return rows.map(([requestsPerSecond, min, max]) => ({ requestsPerSecond, min, max }));
}

/** Of the original's own test. */
const ORIGINAL = table([0.01, 0, 1], [0.5, 0, 2], [1.0, 1, 4], [5.0, 3, 6], [10.0, 6, 8]);

describe('the load table', () => {
  for (const [load, min, max] of [
    [0.1, 0, 1],
    [0.4, 0, 1],
    [0.5, 0, 2],
    [0.6, 0, 2],
    [1.0, 1, 4],
    [1.1, 1, 4],
    [20, 6, 8],
    [0.009, 0, 0],
    [0, 0, 0],
    [9.999, 3, 6],
    [1e9, 6, 8],
  ] as const) {
    it(`wants ${min} to ${max} slaves at ${load} requests/s`, () => {
      assert.deepEqual(rangeFor(ORIGINAL, load), { min, max });
    });
  }

  const anyTable = fc
    .uniqueArray(fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.nat(20), fc.nat(20)), {
      minLength: 1,
      selector: ([rate]) => rate,
    })
    .map(rows =>
      rows.map(([rate, a, b]) => [rate, Math.min(a, b), Math.max(a, b)] as [number, number, number]),
    );

  it('says the same whatever order its rows are in', () => {
    fc.assert(
      fc.property(anyTable, fc.double({ min: 0, max: 200, noNaN: true }), (rows, load) => {
        const sorted = rows.toSorted((a, b) => a[0] - b[0]);
        assert.deepEqual(rangeFor(table(...rows), load), rangeFor(table(...sorted), load));
        assert.deepEqual(rangeFor(table(...rows.toReversed()), load), rangeFor(table(...sorted), load));
      }),
    );
  });

  it('gives each row from its own rate up to just below the next', () => {
    fc.assert(
      fc.property(anyTable, rows => {
        for (const [rate, min, max] of rows) assert.deepEqual(rangeFor(table(...rows), rate), { min, max });
      }),
    );
  });

  it('never wants more than its largest max', () => {
    fc.assert(
      fc.property(anyTable, fc.double({ min: 0, max: 200, noNaN: true }), (rows, load) => {
        assert.ok(rangeFor(table(...rows), load).max <= largestMax(table(...rows)));
      }),
    );
  });
});
