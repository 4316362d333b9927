import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, firstListed, serving } from './world.ts';

describe('a slave that dies', () => {
  for (const behaviour of ['refuses', 'hangs'] as const) {
    it(`(it ${behaviour}) leaves the farm within a round and some seconds, and is replaced`, async () => {
      const world = await serving(2);
      const dead = firstListed(world);
      const died = world.now();
      world.slaves.set(dead.id, behaviour);
      const out = await world.when('out', () => !world.listed().includes(dead.id));
      assert.ok(out - died <= 30 * SECOND + 15 * SECOND, `${(out - died) / SECOND} s`);
      await world.when('two again', () => world.farm.urls().length === 2);
      await world.run(2 * MINUTE);
      assert.ok(world.terminations().has(dead.id));
      assert.equal(world.live().length, 2);
    });
  }

  it('and only misses a probe stays in the farm', async () => {
    const world = await serving(1);
    const slave = firstListed(world);
    world.slaves.set(slave.id, 'refuses');
    await world.when('a missed probe', () => world.log.has(/did not answer, 1 of 3/));
    world.slaves.set(slave.id, 'serves');
    await world.run(5 * MINUTE);
    assert.deepEqual(world.listed(), [slave.id]);
    assert.equal(world.farm.writes().length, 1);
  });

  it('because EC2 takes it back leaves at the notice and is replaced before it ends', async () => {
    for (const finalAtOnce of [false, true]) {
      const world = await serving(1);
      const slave = firstListed(world);
      const marked = world.now();
      world.cloud.interrupt(slave.id, 2 * MINUTE, { finalAtOnce });
      const out = await world.when('out', () => world.farm.urls().length === 0);
      assert.ok(out - marked <= 35 * SECOND);
      const back = await world.when('a replacement', () => world.farm.urls().length === 1);
      assert.ok(back - marked <= 2 * MINUTE, `${(back - marked) / SECOND} s`);
    }
  });

  it('because somebody terminates it by hand leaves within a round and is replaced', async () => {
    const world = await serving(2);
    const slave = firstListed(world);
    world.cloud.terminate(slave.id);
    const at = world.now();
    const out = await world.when('out', () => !world.farm.urls().includes(world.urlOf(slave)));
    assert.ok(out - at <= 35 * SECOND);
    await world.when('two again', () => world.farm.urls().length === 2);
    assert.ok(world.log.has(/has ended by itself/));
  });
});

describe('a slave that does not become ready', () => {
  it('is replaced after boot_timeout; after five there is one slower and slower attempt at a time', async () => {
    const world = createWorld({ load: 3, table: [[1, 2, 3]], slaves: { neverBoots: 1 } });
    world.start();
    await world.until(24 * HOUR);
    const launches = world.callsOf('CreateFleet');
    const first = world.cloud.account.fleets().length;
    assert.ok(first > 0 && launches.length >= 6 && launches.length <= 20, `${launches.length} launches`);
    const gaps = launches.slice(5).map((at, index) => Math.round((at - (launches[index + 4] ?? 0)) / MINUTE));
    assert.ok(gaps.at(-1) ?? 0 >= 3 * 60, `gaps in minutes: ${gaps}`);
    assert.match(world.balancer.state.backoff.reason ?? '', /slaves in a row did not become ready/);
  });

  it('until the image is mended: then launches go on as before', async () => {
    const world = createWorld({ load: 3, table: [[1, 1, 2]], slaves: { bootTime: 11 * MINUTE } });
    world.start();
    await world.until(2 * HOUR);
    assert.deepEqual(world.farm.urls(), []);
    world.balancer.reconfigure(world.configOf({ slave: { bootTimeout: 20 * MINUTE } }));
    await world.when('a slave', () => world.farm.urls().length === 1, HOUR);
    assert.equal(world.balancer.state.backoff.failedBoots, 0);
  });
});
