import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, type World } from './world.ts';

const TABLE = [
  [0.5, 0, 2],
  [1, 1, 3],
  [5, 3, 4],
] as const;
const TIMED_OUT = { overloaded: 'Apache accepts connections and does not answer within 10 s' };
const SATURATED = { workers: { busy: 16, idle: 0, free: 0 } };

async function quiet(overload: 'climb' | 'ignore' = 'climb'): Promise<World> {
  const world = createWorld({ load: 0.2, table: TABLE, master: { overload } });
  world.start();
  await world.run(2 * MINUTE);
  assert.equal(world.live().length, 0);
  return world;
}

describe('an overloaded Apache', () => {
  for (const [what, says, options] of [
    ['whose page times out', TIMED_OUT, { noPage: true }],
    ['that has no idle worker', SATURATED, {}],
  ] as const) {
    it(`${what} makes the farm climb one row a poll, up to the largest max and never past it`, async () => {
      const world = await quiet();
      const at = world.now();
      world.readings(says, options);
      const first = await world.when('a launch', () => world.live().length > 0);
      assert.ok(first - at <= 3 * 30 * SECOND, `${(first - at) / SECOND} s`);
      await world.when('the last row', () => world.farm.urls().length >= 3);
      await world.run(20 * MINUTE);
      assert.equal(world.live().length, 3);
    });
  }

  it('goes down by the ordinary rule when its readings are clean again', async () => {
    const world = await quiet();
    world.readings(SATURATED);
    await world.when('the last row', () => world.farm.urls().length === 3);
    world.readings({ workers: { busy: 2, idle: 14 } });
    await world.run(5 * MINUTE);
    assert.equal(world.live().length, 0);
  });

  it('releases nothing while its page times out', async () => {
    const world = await quiet();
    world.readings(SATURATED);
    await world.when('the last row', () => world.farm.urls().length === 3);
    world.readings(TIMED_OUT, { noPage: true });
    await world.run(20 * MINUTE);
    assert.equal(world.live().length, 3);
  });

  it('changes nothing with overload = ignore', async () => {
    const world = await quiet('ignore');
    world.readings(SATURATED);
    await world.run(10 * MINUTE);
    assert.equal(world.live().length, 0);
  });

  it('that nobody has measured before counts as the first row, then as the next', async () => {
    const world = createWorld({ table: TABLE });
    world.readings(TIMED_OUT, { noPage: true });
    world.start();
    await world.when('the last row', () => world.farm.urls().length === 3);
  });
});
