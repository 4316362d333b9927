import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, draw } from '../../src/simulate/random.ts';

const take = (seed: string | number, count = 20) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

test('a seed determines everything that is drawn', () => {
  assert.deepEqual(take('a'), take('a'));
  assert.notDeepEqual(take('a'), take('b'));
  assert.notDeepEqual(take(1), take(2));
});

test('numbers are spread evenly from 0 up to 1', () => {
  const tenths = Map.groupBy(take(7, 10_000), it => Math.floor(it * 10));
  assert.deepEqual([...tenths.keys()].toSorted(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const [, members] of tenths) assert.ok(members.length > 850 && members.length < 1150);
});

test('a fork has chances of its own: who draws elsewhere changes nothing', () => {
  const quiet = createRandom(1).fork('slave');
  const busy = createRandom(1);
  for (let turn = 0; turn < 5; turn++) busy.next();
  assert.equal(busy.fork('slave').next(), quiet.next());
  assert.notEqual(createRandom(1).fork('other').next(), createRandom(1).fork('slave').next());
});

test('a delay is a number, or a whole number of a range', () => {
  const random = createRandom(3);
  assert.equal(draw(random, 5), 5);
  for (let turn = 0; turn < 100; turn++) {
    const ms = draw(random, [10, 20]);
    assert.ok(Number.isInteger(ms) && ms >= 10 && ms <= 20);
  }
});

test('chance never and always happens at 0 and 1; picking from nothing is a mistake', () => {
  const random = createRandom(3);
  assert.deepEqual([0, 1].map(random.chance), [false, true]);
  assert.throws(() => random.pick([]), /empty/);
});
