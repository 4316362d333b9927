import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { largestMax, rangeFor } from '../../src/policy/load-table.ts';
import { climb } from '../../src/policy/overload.ts';

const TABLE = [
  { requestsPerSecond: 0.5, min: 0, max: 2 },
  { requestsPerSecond: 1, min: 1, max: 3 },
  { requestsPerSecond: 5, min: 3, max: 6 },
];

describe('an overloaded Apache', () => {
  for (const [what, load, before, expected] of [
    ['counts as the first row when nothing is known', 0, undefined, 0.5],
    ['counts as the row above what it completes', 0.7, undefined, 1],
    ['counts as one row more than at the poll before', 0.7, 1, 5],
    ['counts as what was measured when that is more', 3, 0.5, 5],
    ['counts as the last row at most', 0.7, 5, 5],
    ['counts as what was measured above the last row', 9, 5, 9],
  ] as const) {
    it(what, () => assert.equal(climb(TABLE, load, before), expected));
  }

  it('climbs to the last row and stays there', () => {
    const mins = [];
    let counts: number | undefined;
    for (let poll = 0; poll < 5; poll++) {
      counts = climb(TABLE, 0.1, counts);
      mins.push(rangeFor(TABLE, counts).min);
    }
    assert.deepEqual(mins, [0, 1, 3, 3, 3]);
    assert.ok(rangeFor(TABLE, counts ?? 0).max <= largestMax(TABLE));
  });
});
