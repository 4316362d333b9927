import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { advance, type History, type Level, NO_HISTORY, summary } from '../../src/status/history.ts';

function level(requestsPerSecond: number | undefined, serving = 0): Level {
  return { requestsPerSecond, serving, slaves: serving, onDemand: 0, min: 0, max: 1 };
}

/** Each level holds for so long (ms). */
function historyOf(steps: readonly (readonly [Level, number])[], start = 0): History {
  let now = start;
  let history = NO_HISTORY;
  for (const [held, ms] of steps) {
    history = advance(history, now, held);
    now += ms;
  }
  return advance(history, now, level(undefined));
}

test('a minute has the mean and the peak of its load, and its slaves as they were last', () => {
  const { minutes } = historyOf([
    [level(2, 1), 30 * SECOND],
    [level(6, 2), 30 * SECOND],
    [level(1, 3), MINUTE],
  ]);
  assert.deepEqual(
    minutes.map(({ start, requests, peak, level: { serving } }) => ({ start, requests, peak, serving })),
    [
      { start: 0, requests: 240, peak: 6, serving: 2 },
      { start: MINUTE, requests: 60, peak: 1, serving: 3 },
    ],
  );
  assert.deepEqual(summary(minutes), { mean: 2.5, peak: 6 });
});

test('what is not known counts for nothing', () => {
  const { minutes } = historyOf([
    [level(undefined, 1), 50 * SECOND],
    [level(4, 1), 10 * SECOND],
    [level(undefined, 1), 2 * MINUTE],
  ]);
  assert.deepEqual(summary(minutes), { mean: 4, peak: 4 });
  assert.deepEqual(
    minutes.map(({ knownFor }) => knownFor),
    [10 * SECOND, 0, 0],
  );
  assert.equal(summary([]), undefined);
});

test('however long one level held, the last hour is all that is kept of it', () => {
  const { minutes } = historyOf([
    [level(9, 9), 3 * HOUR],
    [level(3, 1), 30 * 24 * HOUR],
  ]);
  assert.equal(minutes.length, 60);
  assert.deepEqual(summary(minutes), { mean: 3, peak: 3 });
});

test('for any course of the load: at most 61 minutes in order, and no request is lost or counted twice', () => {
  const step = fc.tuple(
    fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
    fc.integer({ min: 0, max: 90 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 100 }), (steps, start) => {
      const { minutes } = historyOf(
        steps.map(([load, seconds]) => [level(load), seconds * SECOND]),
        start * SECOND,
      );
      assert.ok(minutes.length <= 61);
      for (const [index, minute] of minutes.entries()) {
        assert.equal(minute.start % MINUTE, 0);
        if (index > 0) assert.equal(minute.start - (minutes[index - 1]?.start ?? 0), MINUTE);
      }
      const total = steps.reduce((sum, [, seconds]) => sum + seconds, 0);
      if (total > 3600) return;
      const requests = steps.reduce((sum, [load = 0, seconds]) => sum + load * seconds, 0);
      const kept = minutes.reduce((sum, minute) => sum + minute.requests, 0);
      assert.ok(Math.abs(kept - requests) < 1e-6 * Math.max(1, requests), `${kept} of ${requests}`);
    }),
  );
});
