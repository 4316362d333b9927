import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { NO_ANSWER } from '../../src/ec2/errors.ts';
import { createWorld, type World, type WorldSettings } from './world.ts';

const TABLE = [[1, 2, 3]] as const;
const HISTORY: WorldSettings = {
  table: TABLE,
  load: [
    { from: 0, requestsPerSecond: 3 },
    { from: 3 * MINUTE, requestsPerSecond: 0 },
    { from: 6 * MINUTE, requestsPerSecond: 3 },
  ],
  master: { pollInterval: 10 * SECOND },
};

/** Watches, once a second, that there never are more than there may be; gives the most that were seen. */
async function watch(world: World, ms: number): Promise<number> {
  let most = 0;
  for (let second = 0; second < ms / SECOND; second++) {
    await world.run(SECOND);
    most = Math.max(most, world.working().length);
  }
  return most;
}

describe('kill -9 and a new start', () => {
  for (const begin of [0, 2]) {
    it(`at any moment of launch, boot, service and drain (${begin} of 4 s): nothing lost, nothing twice`, async () => {
      for (let second = begin; second <= 260; second += 4) {
        const world = createWorld({ ...HISTORY, seed: `second ${second}` });
        world.start();
        await world.run(second * SECOND + (second % 7) * 130);
        world.restart();
        const most = await watch(world, 60 * SECOND);
        assert.ok(most <= 3, `killed at ${second} s: ${most} slaves\n${world.log.text()}`);
        await world.until(8 * MINUTE);
        assert.equal(world.farm.urls().length, 2, `killed at ${second} s\n${world.log.text()}`);
        assert.equal(world.live().length, 2, `killed at ${second} s`);
        world.assertDrained();
        assert.equal(await world.stop(), 'clean');
        world.assertNothingLeft();
      }
    });
  }

  it('in the middle of a launch, at every tenth of a second, gives no second set', async () => {
    for (let tenth = 0; tenth < 60; tenth++) {
      const world = createWorld({ load: 3, table: [[1, 2, 2]], seed: `tenth ${tenth}` });
      world.start();
      await world.run(4 * SECOND + tenth * 100);
      world.restart();
      assert.ok((await watch(world, 90 * SECOND)) <= 2, `at ${tenth}\n${world.log.text()}`);
      assert.equal(world.live().length, 2);
    }
  });

  it('again and again, every few seconds, never gives more than the largest max', async () => {
    const world = createWorld({ load: 3, table: [[1, 2, 2]] });
    world.start();
    for (let time = 0; time < 60; time++) {
      await world.run((time % 23) * SECOND + 700);
      world.restart();
      assert.ok(world.working().length <= 2, world.log.text());
    }
    await world.run(5 * MINUTE);
    assert.equal(world.farm.urls().length, 2);
    assert.equal(world.live().length, 2);
  });

  it('keeps the slaves that serve in the farm without a break', async () => {
    const world = createWorld({ load: 3, table: TABLE });
    world.start();
    await world.run(5 * MINUTE);
    const [writes, calls] = [world.farm.writes().length, world.callsOf('CreateFleet').length];
    world.restart();
    await world.run(10 * MINUTE);
    assert.equal(world.farm.writes().length, writes);
    assert.equal(world.callsOf('CreateFleet').length, calls);
    assert.ok(world.log.has(/found running slave i-\w+ .*, serving/));
  });

  it('goes on with a drain where it was, and takes what drains for nobody’s capacity', async () => {
    const world = createWorld({
      load: HISTORY.load ?? 0,
      table: [[1, 1, 1]],
      master: { pollInterval: 5 * SECOND },
    });
    world.start();
    await world.until(2 * MINUTE);
    const out = await world.when('an empty farm', () => world.farm.urls().length === 0);
    await world.run(20 * SECOND);
    world.restart();
    await world.when('the end of the drain', () => world.live().length === 0);
    assert.ok(world.now() - out >= 60 * SECOND && world.now() - out <= 75 * SECOND);
    assert.deepEqual(world.farm.urls(), []);
    world.assertDrained();
  });

  it('drains none too short of several that could only be tagged together', async () => {
    const drainTime = 5 * MINUTE;
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0.7 },
        { from: 10.5 * MINUTE, requestsPerSecond: 0 },
      ],
      table: [
        [0.5, 1, 1],
        [1, 2, 2],
      ],
      master: { pollInterval: 10 * SECOND, drainTime },
    });
    world.start();
    await world.until(9 * MINUTE);
    const removeFault = world.cloud.faults.add({ action: 'CreateTags', code: 'InternalError' });
    await world.when('an empty farm', () => world.farm.urls().length === 0);
    removeFault();
    await world.until(13 * MINUTE);
    world.restart();
    await world.until(20 * MINUTE);
    assert.deepEqual(world.live(), []);
    world.assertDrained(drainTime);
  });

  it('while EC2 cannot be reached leaves the farm file alone until it can', async () => {
    const world = createWorld({ load: 3, table: TABLE });
    world.start();
    await world.run(5 * MINUTE);
    const listed = world.farm.urls();
    world.cloud.faults.add({ code: NO_ANSWER });
    world.restart();
    await world.run(30 * MINUTE);
    assert.deepEqual(world.farm.urls(), listed);
    world.cloud.faults.clear();
    await world.run(5 * MINUTE);
    assert.deepEqual(world.farm.urls(), listed);
    assert.ok(world.log.has(/EC2 answers again/));
    assert.equal(world.live().length, 2);
  });

  it('takes a listed slave that has died meanwhile out within seconds', async () => {
    const world = createWorld({ load: 3, table: TABLE });
    world.start();
    await world.run(5 * MINUTE);
    world.kill();
    const [dead] = world.live();
    assert.ok(dead);
    world.slaves.set(dead.id, 'refuses');
    await world.run(MINUTE);
    world.start();
    await world.run(6 * SECOND);
    assert.ok(!world.listed().includes(dead.id) && world.farm.urls().length === 1);
  });
});

describe('an answer of EC2 that lacks something', () => {
  it('once or twice does not make a slave leave the farm', async () => {
    const world = createWorld({ load: 3, table: TABLE });
    world.start();
    await world.run(5 * MINUTE);
    const writes = world.farm.writes().length;
    const [slave] = world.live();
    assert.ok(slave);
    const tag = (Value: string) =>
      world.clock.run(
        world.cloud.ec2('CreateTags', {
          Resources: [slave.id],
          Tags: [{ Key: 'gbrowse-aws-balancer:master', Value }],
        }),
      );
    for (let time = 0; time < 5; time++) {
      await tag('nobody');
      await world.run(45 * SECOND);
      await tag('a master');
      await world.run(60 * SECOND);
    }
    assert.equal(world.farm.writes().length, writes);
    assert.equal(world.live().length, 2);
  });

  it('an ended slave’s address that a new slave gets is not listed before that one answers', async () => {
    // Eleven addresses in all, so that they come round soon.
    const world = createWorld({
      load: 3,
      table: [[1, 1, 1]],
      site: { reach: 'private' },
      ec2: {
        subnets: [{ id: 'subnet-0a6c1d9e5b3f80a01', zone: 'us-west-2a', cidr: '172.31.0.0/28' }],
        shutdownTime: SECOND,
      },
    });
    world.start();
    await world.run(5 * MINUTE);
    world.farm.fail({ write: 'read-only file system' });
    const listed = world.farm.urls();
    let reused = false;
    for (let second = 0; second < 80 * 60; second++) {
      if (second % 100 === 0) for (const it of world.live()) world.cloud.terminate(it.id);
      await world.run(SECOND);
      for (const it of world.live()) {
        reused ||= listed.includes(world.urlOf(it));
        const isReady = world.balancer.state.members.get(it.id)?.readySince !== undefined;
        assert.ok(!isReady || world.slaves.bootedAt(it) <= world.cloud.account.now(), world.log.text());
      }
    }
    assert.ok(reused);
  });
});
