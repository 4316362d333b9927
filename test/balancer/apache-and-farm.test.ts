import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, firstListed, serving } from './world.ts';

describe('when Apache cannot be read', () => {
  it('the farm stays as it is for hours, dead slaves are replaced, and it says so once', async () => {
    const world = await serving(2);
    world.apache.fail('no mod_status at http://localhost/server-status');
    await world.run(2 * HOUR);
    assert.equal(world.farm.urls().length, 2);
    assert.equal(world.terminations().size, 0);
    assert.equal(world.log.count(/the load cannot be read, so the farm stays as it is/), 1);
    const dead = firstListed(world);
    world.slaves.set(dead.id, 'refuses');
    await world.when('out', () => !world.listed().includes(dead.id));
    await world.when('two again', () => world.farm.urls().length === 2);
    world.apache.fail(undefined);
    await world.run(5 * MINUTE);
    assert.ok(world.log.has(/the load can be read again/));
    assert.equal(world.farm.urls().length, 2);
  });

  it('a smaller table releases nobody until the load is known', async () => {
    const world = await serving(2);
    world.apache.fail('403 Forbidden');
    await world.run(MINUTE);
    world.balancer.reconfigure(world.configOf({ table: [[1, 1, 1]] }));
    await world.run(HOUR);
    assert.equal(world.farm.urls().length, 2);
    world.apache.fail(undefined);
    await world.when('one', () => world.farm.urls().length === 1, 2 * MINUTE);
  });

  it('nor while another server’s first reading is all there is', async () => {
    const world = await serving(2, { master: { pollInterval: 2 * MINUTE } });
    const read = world.now();
    const serverStatusUrl = 'http://example.org/server-status';
    const master = { pollInterval: 2 * MINUTE, serverStatusUrl };
    world.balancer.reconfigure(world.configOf({ table: [[1, 1, 1]], master }));
    await world.run(2 * SECOND);
    assert.equal(world.farm.urls().length, 2);
    const out = await world.when('one', () => world.farm.urls().length === 1);
    assert.ok(out - read <= 2 * MINUTE + 10 * SECOND);
  });

  it('a restart of Apache neither releases nor launches anything', async () => {
    const world = await serving(2);
    for (let time = 0; time < 10; time++) {
      world.apache.restart();
      await world.run(37 * SECOND);
    }
    assert.equal(world.terminations().size, 0);
    assert.equal(world.callsOf('CreateFleet').length, 1);
  });

  it('a step of the wall clock by a day, either way, changes nothing', async () => {
    const world = await serving(2);
    const writes = world.farm.writes().length;
    for (const days of [1, -1, -1, 1]) {
      world.clock.stepWall(days * 24 * HOUR);
      await world.run(10 * MINUTE);
    }
    assert.equal(world.terminations().size, 0);
    assert.equal(world.callsOf('CreateFleet').length, 1);
    assert.equal(world.farm.writes().length, writes);
  });
});

describe('when the farm file cannot be written', () => {
  it('no slave that it still lists is terminated, and it is written as soon as it can be', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0 },
      ],
    });
    world.start();
    await world.until(9 * MINUTE);
    world.farm.fail({ write: 'renderfarm.conf: read-only file system' });
    await world.run(2 * HOUR);
    assert.equal(world.terminations().size, 0);
    assert.equal(world.live().length, 1);
    assert.ok(world.log.has(/the farm file cannot be written: .*read-only/));
    world.farm.fail({});
    await world.when('an empty farm', () => world.farm.urls().length === 0, 2 * MINUTE);
    const out = world.farm.writes().at(-1)?.at ?? Number.NaN;
    await world.run(5 * MINUTE);
    assert.equal(world.live().length, 0);
    assert.ok(world.log.has(/the farm file can be written again/));
    assert.ok([...world.terminations().values()].every(at => at >= out + 60 * SECOND));
  });

  it('or Apache not be told, a drain waits for it, but not for ever', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0 },
      ],
    });
    world.start();
    await world.until(9 * MINUTE);
    world.farm.fail({ reload: 'apachectl graceful: exit status 1' });
    const out = await world.when('an empty farm', () => world.farm.urls().length === 0);
    await world.until(out + 2 * MINUTE + 50 * SECOND);
    assert.equal(world.live().length, 1);
    await world.run(MINUTE);
    assert.equal(world.live().length, 0);
  });

  it('somebody’s edit of the list is put right at the next poll, and a warning names it', async () => {
    const world = await serving(1);
    const [own] = world.farm.urls();
    world.farm.edit(['http://10.9.9.9:8101']);
    await world.run(31 * SECOND);
    assert.deepEqual(world.listed(), [firstListed(world).id]);
    const said = world.log.entries.filter(it => /somebody else/.test(it.message));
    assert.deepEqual(
      said.map(({ level, message }) => `${level}: ${message}`),
      [
        `warn: somebody else has changed the farm, which is put right: ${own} is not in use any more; ` +
          'http://10.9.9.9:8101 was added; to have GBrowse draw locally, use "gbrowse-aws-balancer pause"',
      ],
    );
  });

  it('hours of the balancer’s own changes and of a file that cannot be written are nobody else’s', async () => {
    const load = Array.from({ length: 12 }, (_, n) => ({
      from: n * 20 * MINUTE,
      requestsPerSecond: n % 2 === 0 ? 3 : 0,
    }));
    const world = createWorld({ load, master: { pollInterval: 10 * SECOND } });
    world.start();
    await world.run(2 * HOUR);
    world.farm.fail({ write: 'renderfarm.conf: read-only file system' });
    await world.run(HOUR);
    world.farm.fail({});
    await world.run(HOUR);
    assert.ok(world.farm.writes().length > 6);
    assert.equal(world.log.count(/somebody else/), 0);
  });
});

describe('when the configuration is read again', () => {
  it('a new table counts at once, and old slaves keep their own ports beside new ones', async () => {
    const world = await serving(1, { master: { pollInterval: 10 * MINUTE } });
    const [old] = world.live();
    const config = world.configOf({
      table: [[1, 2, 2]],
      slave: { ports: [9101, 9102] },
      master: { pollInterval: 30 * SECOND },
    });
    world.balancer.reconfigure(config);
    await world.when('three ports', () => world.farm.urls().length === 3, 3 * MINUTE);
    const ports = world.farm.urls().map(url => new URL(url).port);
    assert.deepEqual(ports, ['8101', '9101', '9102']);
    await world.run(3 * HOUR);
    assert.ok(old && world.listed().includes(old.id));
    assert.equal(world.callsOf('CreateFleet').length, 2);
  });

  it('a shorter poll interval counts from now on', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 0 },
        { from: 5 * MINUTE, requestsPerSecond: 3 },
      ],
      master: { pollInterval: 60 * MINUTE },
    });
    world.start();
    await world.until(5 * MINUTE);
    world.balancer.reconfigure(world.configOf({ master: { pollInterval: 30 * SECOND } }));
    await world.when('a launch', () => world.live().length === 1, 3 * MINUTE);
  });

  it('a plan that was being made for the old one is not used', async () => {
    const world = createWorld({ load: 3, ec2: { latency: 2 * SECOND } });
    world.start();
    await world.when('preparing', () => world.callsOf('DescribeSubnets').length > 0);
    world.balancer.reconfigure(world.configOf({ slave: { instanceTypes: ['c5.large'] } }));
    await world.when('a launch', () => world.live().length > 0);
    assert.deepEqual(
      world.live().map(it => it.instanceType),
      ['c5.large'],
    );
  });
});
