import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { DRAINING_TAG, MASTER_TAG } from '../../src/spot/tags.ts';
import { createWorld, firstListed, MASTER, serving, type World } from './world.ts';

/** Somebody tags an instance. */
function tag(world: World, id: string, Key: string, Value: string): Promise<unknown> {
  return world.clock.run(world.cloud.ec2('CreateTags', { Resources: [id], Tags: [{ Key, Value }] }));
}

describe('at the largest max', () => {
  it('a dead slave is replaced when EC2 knows that it leaves, so that a successor would not have one too many', async () => {
    const world = await serving(2, { table: [[1, 2, 2]], master: { pollInterval: 10 * SECOND } });
    const removeFault = world.cloud.faults.add({ action: 'CreateTags', code: 'RequestLimitExceeded' });
    world.slaves.set(firstListed(world).id, 'refuses');
    await world.when('out', () => world.farm.urls().length === 1);
    await world.run(30 * SECOND);
    assert.equal(world.live().length, 2);
    removeFault();
    await world.when('a replacement', () => world.live().length === 3);
    assert.equal(world.working().length, 2);
  });

  it('below it nothing waits for the tag', async () => {
    const world = await serving(2, { table: [[1, 2, 4]], master: { pollInterval: 10 * SECOND } });
    world.cloud.faults.add({ action: 'CreateTags', code: 'RequestLimitExceeded' });
    world.slaves.set(firstListed(world).id, 'refuses');
    await world.when('a replacement', () => world.live().length === 3, MINUTE);
  });
});

describe('a draining tag', () => {
  it('that a predecessor’s last call wrote makes a slave leave, and it is drained as a whole', async () => {
    const world = await serving(2);
    const { id } = firstListed(world);
    await tag(world, id, DRAINING_TAG, new Date(world.clock.wall() - 10 * MINUTE).toISOString());
    const out = await world.when('out', () => !world.listed().includes(id));
    await world.when('its end', () => world.terminations().has(id));
    assert.ok((world.terminations().get(id) ?? 0) >= out + 60 * SECOND);
  });

  it('does not end a slave before its drain if the farm still lists it', async () => {
    const world = await serving(2);
    const { id } = firstListed(world);
    world.kill();
    await tag(world, id, DRAINING_TAG, new Date(world.clock.wall() - 10 * MINUTE).toISOString());
    world.start();
    await world.when('its end', () => world.terminations().has(id));
    world.assertDrained();
  });
});

describe('what is not this master’s any more', () => {
  it('is not touched on the ground of what EC2 showed a minute ago', async () => {
    const world = await serving(2, { master: { pollInterval: 5 * MINUTE } });
    const { id } = firstListed(world);
    await world.run(8 * SECOND);
    await tag(world, id, MASTER_TAG, 'the administrator');
    await world.run(3 * SECOND);
    world.balancer.reconfigure(world.configOf({ table: [[1, 0, 0]] }));
    await world.run(10 * MINUTE);
    assert.ok(!world.terminations().has(id));
    assert.equal(world.cloud.account.instance(id)?.tags[DRAINING_TAG], undefined);
    assert.equal(world.live().filter(it => it.tags[MASTER_TAG] === MASTER).length, 0);
  });
});

describe('an EC2 that takes longer for an answer than an answer is taken for new', () => {
  it('still gives slaves, and takes them back', async () => {
    const world = createWorld({ load: 3, ec2: { latency: 12 * SECOND } });
    world.start();
    await world.when('a slave in the farm', () => world.farm.urls().length === 1);
    assert.equal(await world.stop(), 'clean');
    world.assertNothingLeft();
  });
});

describe('restarts', () => {
  it('make no launch loop of a broken image', async () => {
    const world = createWorld({
      load: 3,
      table: [[1, 2, 3]],
      slave: { bootTimeout: MINUTE },
      slaves: { neverBoots: 1 },
    });
    world.start();
    for (let time = 0; time < 20; time++) {
      await world.run(2.5 * MINUTE);
      world.restart();
    }
    const born = world.cloud.account.instances().filter(it => it.bornAt > world.cloud.account.now() - HOUR);
    assert.ok(born.length <= 12 + 2, `${born.length} in an hour`);
  });
});

describe('a slave that becomes ready and dies soon after', () => {
  it('counts as one that did not boot', async () => {
    const world = createWorld({ load: 3, table: [[1, 1, 1]], master: { pollInterval: 10 * SECOND } });
    world.start();
    const until = world.now() + 3 * HOUR;
    while (world.now() < until) {
      await world.run(10 * SECOND);
      for (const it of world.live()) if (world.listed().includes(it.id)) world.slaves.set(it.id, 'refuses');
    }
    assert.match(world.balancer.state.backoff.reason ?? '', /slaves in a row/);
    const launches = world.callsOf('CreateFleet').filter(at => at > until - HOUR);
    assert.ok(launches.length <= 7, `${launches.length} launches in the last hour`);
  });

  it('does not when it has served for the time that a boot may take', async () => {
    const world = await serving(1);
    world.slaves.set(firstListed(world).id, 'refuses');
    await world.run(2 * MINUTE);
    assert.equal(world.balancer.state.backoff.failedBoots, 1);
    await world.when('a replacement', () => world.farm.urls().length === 1);
    await world.run(11 * MINUTE);
    assert.equal(world.balancer.state.backoff.failedBoots, 0);
    world.slaves.set(firstListed(world).id, 'refuses');
    await world.run(2 * MINUTE);
    assert.equal(world.balancer.state.backoff.failedBoots, 0);
  });
});

describe('when the load falls while the farm file cannot be written, and rises again', () => {
  it('the slaves that it lists still are kept', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0 },
        { from: 12 * MINUTE, requestsPerSecond: 3 },
      ],
      table: [[1, 2, 2]],
    });
    world.start();
    await world.until(9 * MINUTE);
    const listed = world.listed();
    world.farm.fail({ write: 'renderfarm.conf: read-only file system' });
    await world.until(14 * MINUTE);
    world.farm.fail({});
    await world.until(30 * MINUTE);
    assert.deepEqual(world.listed(), listed);
    assert.equal(world.callsOf('CreateFleet').length, 1);
    assert.equal(world.log.count(/keeping slave/), 2);
  });
});

describe('a stop right after the start', () => {
  it('waits for what EC2 may not show yet, and says so', async () => {
    const world = createWorld();
    world.start();
    await world.run(SECOND);
    assert.equal(await world.stop(), 'clean');
    assert.ok(world.now() >= 10 * SECOND);
    assert.ok(world.log.has(/waiting up to 9 s for EC2 to show/));
  });

  it('does not after a second signal', async () => {
    const world = createWorld();
    world.start();
    await world.run(SECOND);
    world.balancer.stop();
    world.balancer.stop();
    assert.equal(await world.clock.run(world.balancer.ended), 'hurried');
    assert.ok(world.now() <= 4 * SECOND, `${world.now() / SECOND} s`);
  });
});

describe('the log', () => {
  it('does not repeat what differs in a number only', async () => {
    const world = await serving(1);
    for (let time = 0; time < 20; time++) {
      world.apache.fail(`"Total Accesses" is "-${time}", not a whole number`);
      await world.run(MINUTE);
    }
    assert.equal(world.log.count(/the load cannot be read/), 1);
  });

  it('says once that the security group waits for its last instance', async () => {
    const world = await serving(1, { ec2: { shutdownTime: 3 * MINUTE } });
    assert.equal(await world.stop(), 'clean');
    assert.equal(world.log.count(/the security group can be deleted only after them/), 1);
  });
});
