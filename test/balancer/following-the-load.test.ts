import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { BOOT_TIME, createWorld, PENDING_TIME, type World } from './world.ts';

const BUSY_HALF_HOUR = [
  { from: 0, requestsPerSecond: 0 },
  { from: 5 * MINUTE, requestsPerSecond: 3 },
  { from: 35 * MINUTE, requestsPerSecond: 0 },
];

/** When the ports of the first slave open. */
function opensAt(world: World): number {
  const [slave] = world.cloud.account.instances();
  assert.ok(slave);
  return world.slaves.bootedAt(slave) - (world.cloud.account.now() - world.now());
}

describe('when the load rises', () => {
  for (const pollInterval of [0.5 * SECOND, 3 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE]) {
    it(`with a poll every ${pollInterval / SECOND} s a slave is in the farm within 2 s of its port opening`, async () => {
      const world = createWorld({ load: BUSY_HALF_HOUR, master: { pollInterval } });
      world.start();
      const asked = await world.when('a launch', () => world.callsOf('CreateFleet').length > 0);
      assert.ok(asked <= 5 * MINUTE + 2 * pollInterval + 20 * SECOND, `asked after ${asked / SECOND} s`);
      const listed = await world.when('a slave in the farm', () => world.farm.urls().length > 0);
      const opened = opensAt(world);
      assert.ok(listed >= opened && listed <= opened + 2 * SECOND, `${(listed - opened) / SECOND} s`);
      assert.deepEqual(
        world.farm.urls(),
        world.live().map(slave => world.urlOf(slave)),
      );
    });
  }

  it('after a quiet week a burst is answered within two polls', async () => {
    const week = 7 * 24 * HOUR;
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 0.05 },
        { from: week, requestsPerSecond: 10 },
      ],
    });
    await world.until(week - HOUR);
    world.start();
    await world.until(week);
    assert.deepEqual(world.callsOf('CreateFleet'), []);
    const asked = await world.when('a launch', () => world.callsOf('CreateFleet').length > 0);
    assert.ok(asked - week <= 60 * SECOND, `after ${(asked - week) / SECOND} s`);
  });

  it('the first decision does not wait for a whole poll interval', async () => {
    const world = createWorld({ load: 3, master: { pollInterval: 10 * MINUTE } });
    world.start();
    await world.run(15 * SECOND);
    assert.equal(world.live().length, 1);
  });

  it('Apache is told after the farm file has changed, and each change is put into the log', async () => {
    const world = createWorld({ load: 3 });
    world.start();
    await world.when('a slave in the farm', () => world.farm.urls().length > 0);
    await world.run(10 * SECOND);
    assert.ok((world.farm.reloads().at(-1) ?? 0) >= (world.farm.writes().at(-1)?.at ?? 0));
    assert.ok(world.log.has(/^farm: http:/));
    assert.ok(world.log.has(/is ready after \d+ s/));
  });
});

describe('when the load falls', () => {
  for (const pollInterval of [0.5 * SECOND, 30 * SECOND, 10 * MINUTE]) {
    it(`with a poll every ${pollInterval / SECOND} s the slave leaves the farm at that poll, drains and only then ends`, async () => {
      const world = createWorld({ load: BUSY_HALF_HOUR, master: { pollInterval } });
      world.start();
      await world.until(35 * MINUTE);
      const [slave] = world.live();
      assert.ok(slave !== undefined && world.farm.urls().length === 1);
      const out = await world.when('an empty farm', () => world.farm.urls().length === 0);
      // The poll that straddles the fall still sees the rest of the load.
      assert.ok(
        out <= 35 * MINUTE + 2 * pollInterval + SECOND,
        `out after ${(out - 35 * MINUTE) / SECOND} s`,
      );
      await world.run(5 * SECOND);
      assert.ok(world.cloud.account.instance(slave.id)?.tags['gbrowse-aws-balancer:draining']);
      await world.until(out + 59 * SECOND);
      assert.equal(world.live().length, 1);
      await world.until(out + 70 * SECOND);
      assert.equal(world.live().length, 0);
      const [told] = world.farm.reloads().filter(at => at >= out - 100);
      assert.ok(told !== undefined && (world.terminations().get(slave.id) ?? 0) >= told + 60 * SECOND);
      world.assertDrained();
    });
  }

  it('a slave that never was in the farm is ended at once', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 20 * SECOND, requestsPerSecond: 0 },
      ],
      slaves: { bootTime: 10 * MINUTE },
    });
    world.start();
    await world.when('a launch', () => world.live().length === 1);
    const gone = await world.when('none', () => world.live().length === 0);
    assert.ok(gone < 75 * SECOND);
  });

  it('a constant load makes no change at all, for a day', async () => {
    const world = createWorld({ load: 3, table: [[1, 2, 3]] });
    world.start();
    await world.until(10 * MINUTE);
    const writes = world.farm.writes().length;
    await world.until(24 * HOUR);
    assert.equal(world.callsOf('CreateFleet').length, 1);
    assert.equal(world.terminations().size, 0);
    assert.equal(world.farm.writes().length, writes);
  });
});

describe('in a steady state', () => {
  for (const count of [0, 1, 20, 200]) {
    it(`with ${count} slaves each round makes at most two EC2 calls, and decides a bounded number of times`, async () => {
      const world = createWorld({
        load: count === 0 ? 0 : 3,
        table: [[1, count, count]],
        ec2: { spotQuota: 300 },
        master: { pollInterval: 30 * SECOND },
      });
      world.start();
      await world.until(10 * MINUTE);
      assert.equal(world.farm.urls().length, count);
      const [calls, decisions] = [world.cloud.calls().length, world.decisions()];
      const minutes = count === 200 ? 5 : 20;
      await world.run(minutes * MINUTE);
      const made = world.cloud.calls().length - calls;
      // One description each, and an activity tag every 20 minutes.
      assert.ok(made <= (count === 0 ? minutes / 5 : minutes * 2 * 2 + 1), `${made} calls`);
      // A poll, three readings of the load, a look at EC2, a look at the file, and a probe for each slave.
      const decided = world.decisions() - decisions;
      assert.ok(decided <= minutes * 2 * (16 + 2 * count), `${decided} decisions`);
    });
  }
});

describe('when slaves are slow', () => {
  it('one that swallows packets delays nobody', async () => {
    const world = createWorld({ load: 3, table: [[1, 3, 3]], slaves: { timeLimit: 5 * SECOND } });
    world.start();
    const launched = await world.when('three', () => world.live().length === 3);
    await world.run(PENDING_TIME);
    const [mute] = world.live();
    assert.ok(mute);
    world.slaves.set(mute.id, 'hangs');
    const listed = await world.when('two in the farm', () => world.farm.urls().length === 2);
    assert.ok(listed <= launched + PENDING_TIME + BOOT_TIME + 2 * SECOND);
  });
});
