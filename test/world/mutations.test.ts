import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run, type Violation } from './course.ts';
import { drawHistory, type History } from './history.ts';
import { PLANTED } from './mutations.ts';

/** How many seeds are enough to see any of these bugs. */
const SEEDS = 40;

describe('each invariant can fail: a planted bug is seen', () => {
  for (const { bug, breaks, mutation, provoked = (it: History) => it } of PLANTED) {
    it(`${breaks}: ${bug}`, async () => {
      const isSeen = (violations: readonly Violation[]) => violations.some(it => it.invariant === breaks);
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { violations } = await run(provoked(drawHistory(seed)), { mutation, until: isSeen });
        if (isSeen(violations)) return;
      }
      assert.fail(`not seen in ${SEEDS} histories`);
    });
  }

  it('every invariant has a planted bug', () => {
    assert.deepEqual(
      [...new Set(PLANTED.map(it => it.breaks))].toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    );
  });
});
