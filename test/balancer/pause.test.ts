import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { type Pause, pauseAt } from '../../src/policy/pause.ts';
import { serving } from './world.ts';

const KEEP: Pause = { since: 0, release: false };
const RELEASE: Pause = { since: 0, release: true };

describe('a pause', () => {
  it('takes all slaves out of the farm and keeps them, and lists them again at its end', async () => {
    const world = await serving(3);
    world.balancer.pause(KEEP);
    await world.run(5 * SECOND);
    assert.deepEqual(world.farm.urls(), []);
    await world.run(2 * HOUR);
    assert.equal(world.live().length, 3);
    assert.deepEqual(world.farm.urls(), []);
    world.balancer.pause(undefined);
    await world.run(5 * SECOND);
    assert.equal(world.farm.urls().length, 3);
    assert.equal(world.terminations().size, 0);
  });

  it('launches nothing, whatever the load is, and replaces no slave that has ended', async () => {
    const world = await serving(2);
    world.balancer.pause(KEEP);
    await world.run(MINUTE);
    const [first] = world.live();
    assert.ok(first);
    const launches = world.callsOf('CreateFleet').length;
    world.cloud.terminate(first.id);
    await world.run(HOUR);
    assert.equal(world.callsOf('CreateFleet').length, launches);
    world.balancer.pause(undefined);
    await world.when('it is replaced', () => world.farm.urls().length === 2);
  });

  it('with release ends the slaves after their drain, and launches new ones at its end', async () => {
    const world = await serving(3);
    world.balancer.pause(RELEASE);
    await world.run(5 * SECOND);
    assert.deepEqual(world.farm.urls(), []);
    assert.equal(world.live().length, 3);
    await world.run(5 * MINUTE);
    assert.equal(world.live().length, 0);
    world.assertDrained();
    world.balancer.pause(undefined);
    await world.when('new ones serve', () => world.farm.urls().length === 3);
  });

  it('that was there before a restart holds after it', async () => {
    const world = await serving(2);
    world.balancer.pause(KEEP);
    await world.run(MINUTE);
    world.restart({ pause: KEEP });
    await world.run(HOUR);
    assert.deepEqual(world.farm.urls(), []);
    assert.equal(world.live().length, 2);
    assert.equal(await world.stop(), 'clean');
    world.assertNothingLeft();
  });

  it('is logged once when it begins and once when it ends', async () => {
    const world = await serving(1);
    const until = Date.UTC(2026, 10, 25, 23, 10);
    for (let times = 0; times < 3; times += 1) world.balancer.pause({ ...KEEP, until });
    world.balancer.pause(undefined);
    world.balancer.pause(undefined);
    await world.run(SECOND);
    const said = world.log
      .text()
      .split('\n')
      .filter(line => /pause/.test(line));
    assert.equal(said.length, 2);
    assert.match(
      said[0] ?? '',
      /paused until 2026-11-25 23:10 UTC: GBrowse draws locally, and the slaves are kept/,
    );
    assert.match(said[1] ?? '', /the pause is over/);
  });
});

it('a pause holds before its end, and one without an end always', () => {
  assert.equal(pauseAt(undefined, 5), undefined);
  assert.equal(pauseAt(KEEP, 1e15), KEEP);
  const short = { ...KEEP, until: 10 };
  assert.equal(pauseAt(short, 9), short);
  assert.equal(pauseAt(short, 10), undefined);
});
