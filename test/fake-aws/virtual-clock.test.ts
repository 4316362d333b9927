import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createVirtualClock } from './virtual-clock.ts';

test('time stands still until somebody runs the clock', async () => {
  const clock = createVirtualClock();
  let woken = false;
  void clock.sleep(5).then(() => {
    woken = true;
  });
  await clock.settle();
  assert.equal(clock.monotonic(), 0);
  assert.equal(woken, false);
  await clock.runFor(5);
  assert.equal(clock.monotonic(), 5);
  assert.equal(woken, true);
});

test('sleepers wake at their time, in the order of their times, then of falling asleep', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }), async lengths => {
      const clock = createVirtualClock();
      const woken: { at: number; sleeper: number }[] = [];
      for (const [sleeper, ms] of lengths.entries()) {
        void clock.sleep(ms).then(() => woken.push({ at: clock.monotonic(), sleeper }));
      }
      await clock.runFor(20);
      const expected = lengths
        .map((at, sleeper) => ({ at, sleeper }))
        .toSorted((a, b) => a.at - b.at || a.sleeper - b.sleeper);
      assert.deepEqual(woken, expected);
    }),
    { numRuns: 50 },
  );
});

test('everything that one wake-up sets going ends before the next one', async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  async function walk(name: string, steps: number) {
    await clock.sleep(10);
    for (let step = 1; step <= steps; step++) {
      await Promise.resolve();
      seen.push(name);
    }
  }
  void walk('a', 100);
  void walk('b', 1);
  await clock.runFor(10);
  assert.deepEqual(seen, [...Array(100).fill('a'), 'b']);
});

test('a sleep of 0 gets on in time, so a loop of them ends', async () => {
  const clock = createVirtualClock();
  let turns = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(0);
      turns++;
    }
  })();
  await clock.runFor(100);
  assert.equal(turns, 100);
});

test('a sleep longer than a real timer can wait is a mistake', () => {
  assert.throws(() => createVirtualClock().sleep(2 ** 31), RangeError);
  assert.throws(() => createVirtualClock().sleep(Number.NaN), RangeError);
});

test('an abort ends a sleep with its reason, before and during it, and leaves nobody asleep', async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const reason = new Error('enough');
  const sleep = clock.sleep(1000, controller.signal);
  void clock.sleep(10).then(() => controller.abort(reason));
  await assert.rejects(clock.run(sleep), reason);
  assert.equal(clock.monotonic(), 10);
  await assert.rejects(clock.sleep(1, controller.signal), reason);
  assert.equal(clock.sleeping(), 0);
});

test('an abort after the end of a sleep does nothing', async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const sleep = clock.sleep(1, controller.signal);
  await clock.runFor(1);
  controller.abort();
  await sleep;
});

test('the wall clock steps, the monotonic one does not', async () => {
  const clock = createVirtualClock(1_000_000);
  await clock.runFor(10);
  clock.stepWall(-5000);
  await clock.runFor(10);
  assert.equal(clock.wall(), 995_020);
  assert.equal(clock.monotonic(), 20);
});

test('run goes on until the promise settles, and says so when it never will', async () => {
  const clock = createVirtualClock();
  assert.equal(await clock.run(clock.sleep(70).then(() => 'done')), 'done');
  assert.equal(clock.monotonic(), 70);
  await assert.rejects(clock.run(new Promise(() => {})), /nothing sleeps any more/);
  await assert.rejects(clock.run(clock.sleep(50), 20), /not settled after 20 ms/);
});

test('two cannot run the clock at a time', async () => {
  const clock = createVirtualClock();
  const first = clock.runFor(10);
  await assert.rejects(clock.runFor(10), /running already/);
  await first;
});
