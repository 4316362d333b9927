import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { NO_ANSWER } from '../../src/ec2/errors.ts';
import { failure, type UserError } from '../../src/errors.ts';
import { createWorld, serving } from './world.ts';

describe('a stop', () => {
  it('empties the farm first, tells Apache, waits for the drain, and leaves nothing', async () => {
    const world = await serving(2);
    const at = world.now();
    assert.equal(await world.stop(), 'clean');
    assert.deepEqual(world.farm.urls(), []);
    const emptied = world.farm.writes().at(-1)?.at ?? 0;
    assert.ok(emptied - at <= SECOND);
    assert.ok((world.farm.reloads().at(-1) ?? 0) >= emptied);
    assert.ok(world.now() - at <= 60 * SECOND + 40 * SECOND, `${(world.now() - at) / SECOND} s`);
    world.assertDrained();
    world.assertNothingLeft();
    assert.equal(world.cloud.account.spotRequests().filter(it => it.state === 'active').length, 0);
  });

  it('of a balancer that never launched anything is over in seconds', async () => {
    const world = createWorld();
    world.start();
    await world.run(MINUTE);
    const at = world.now();
    assert.equal(await world.stop(), 'clean');
    assert.ok(world.now() - at <= 2 * SECOND);
  });

  it('a second one does not wait for drains, but still ends every slave and tells Apache', async () => {
    const world = await serving(2);
    const at = world.now();
    world.balancer.stop();
    await world.run(2 * SECOND);
    world.balancer.stop();
    assert.equal(await world.clock.run(world.balancer.ended), 'incomplete');
    assert.ok(
      world.log.has(/left in EC2: instances that were asked to end: i-\w+, i-\w+; the security group/),
    );
    assert.ok(world.now() - at <= 15 * SECOND, `${(world.now() - at) / SECOND} s`);
    assert.deepEqual(world.live(), []);
    assert.ok((world.farm.reloads().at(-1) ?? 0) >= (world.farm.writes().at(-1)?.at ?? 0));
  });

  it('right after a change of the farm tells Apache of its end too, however much in a hurry', async () => {
    const world = createWorld({ load: 3 });
    world.start();
    await world.when('a slave in the farm', () => world.farm.urls().length === 1);
    world.balancer.stop();
    world.balancer.stop();
    await world.clock.run(world.balancer.ended);
    assert.ok((world.farm.reloads().at(-1) ?? 0) >= (world.farm.writes().at(-1)?.at ?? 0));
  });

  it('in a hurry does not treat as ended what EC2 does not know', async () => {
    const world = await serving(2);
    world.cloud.faults.add({ action: 'TerminateInstances', code: 'InvalidInstanceID.NotFound', count: 4 });
    world.balancer.stop();
    world.balancer.stop();
    await world.clock.run(world.balancer.ended);
    assert.deepEqual(world.live(), []);
  });

  it('with --keep-slaves leaves slaves, farm file, group and template for the next start', async () => {
    const world = await serving(2);
    const listed = world.farm.urls();
    assert.equal(await world.stop({ keepSlaves: true }), 'slaves kept');
    await world.run(MINUTE);
    assert.deepEqual(world.farm.urls(), listed);
    assert.equal(world.live().length, 2);
    const launches = world.callsOf('CreateFleet').length;
    world.start();
    await world.run(10 * MINUTE);
    assert.deepEqual(world.farm.urls(), listed);
    assert.equal(world.callsOf('CreateFleet').length, launches);
  });

  for (const hurry of [false, true]) {
    for (const lag of [SECOND / 2, 8 * SECOND]) {
      it(`at any moment of the first seconds leaves nothing (what EC2 shows is ${lag / SECOND} s old${hurry ? ', in a hurry' : ''})`, async () => {
        for (let tenth = 0; tenth < 130; tenth += 3) {
          const world = createWorld({ load: 3, table: [[1, 2, 3]], ec2: { lag }, seed: `tenth ${tenth}` });
          world.start();
          await world.run(tenth * 100 + 50);
          world.balancer.stop();
          if (hurry) world.balancer.stop();
          const end = await world.clock.run(world.balancer.ended);
          world.kill();
          await world.run(3 * MINUTE);
          assert.deepEqual(world.live(), [], `stopped at ${tenth}, ${end}\n${world.log.text()}`);
          if (end === 'clean') world.assertNothingLeft();
          else assert.ok(hurry, `${tenth}: ${end}\n${world.log.text()}`);
        }
      });
    }
  }

  it('while group and template are being made, by a slow EC2, leaves neither', async () => {
    for (let seconds = 6; seconds < 60; seconds += 2) {
      const world = createWorld({ load: 3, ec2: { latency: 6 * SECOND }, seed: `${seconds}` });
      world.start();
      await world.run(seconds * SECOND);
      assert.equal(await world.stop(), 'clean', world.log.text());
      world.kill();
      await world.run(MINUTE);
      world.assertNothingLeft();
    }
  });

  it('while the answer to a launch is lost leaves nothing', async () => {
    for (const fault of [{ code: NO_ANSWER }, { hang: true }] as const) {
      for (const hurry of [false, true]) {
        for (let seconds = 5; seconds < 40; seconds += 3) {
          const world = createWorld({
            load: 3,
            table: [[1, 3, 3]],
            ec2: { lag: [0, 9 * SECOND] },
            seed: `${seconds}`,
          });
          world.cloud.faults.add({ action: 'CreateFleet', when: 'after', ...fault });
          world.start();
          await world.run(seconds * SECOND);
          world.balancer.stop();
          if (hurry) world.balancer.stop();
          await world.clock.run(world.balancer.ended);
          world.kill();
          await world.run(MINUTE);
          assert.deepEqual(world.live(), [], `${seconds} s\n${world.log.text()}`);
        }
      }
    }
  });

  it('right after kill -9 and a new start finds what the predecessor has just launched', async () => {
    for (let tenth = 0; tenth < 40; tenth++) {
      const world = createWorld({ load: 3, table: [[1, 2, 3]], seed: `tenth ${tenth}` });
      world.start();
      await world.run(5 * SECOND + tenth * 100);
      world.restart();
      await world.run((tenth % 5) * 300);
      assert.equal(await world.stop(), 'clean', world.log.text());
      await world.run(MINUTE);
      world.assertNothingLeft();
    }
  });

  it('the same with a security group of the administrator’s', async () => {
    for (let tenth = 0; tenth < 40; tenth++) {
      const world = createWorld({ load: 3, table: [[1, 2, 3]], seed: `tenth ${tenth}` });
      const [group] = world.cloud.account.groups();
      assert.ok(group);
      world.start({ slave: { securityGroup: group.id } });
      await world.run(5 * SECOND + tenth * 100);
      world.restart({ slave: { securityGroup: group.id } });
      await world.run((tenth % 5) * 300);
      assert.equal(await world.stop(), 'clean', world.log.text());
      await world.run(MINUTE);
      world.assertNothingLeft();
    }
  });

  it('while EC2 answers only errors ends in bounded time, and says that something may be left', async () => {
    for (const code of [NO_ANSWER, 'UnauthorizedOperation', 'RequestLimitExceeded', 'InternalError']) {
      const world = await serving(2);
      world.cloud.faults.add({ code });
      const at = world.now();
      assert.equal(await world.stop(), 'incomplete');
      assert.ok(world.now() - at <= 5 * MINUTE);
      assert.deepEqual(world.farm.urls(), []);
    }
  });

  it('of a balancer that never heard from EC2 ends soon, with an empty farm', async () => {
    const world = createWorld({ load: 3 });
    world.farm.edit(['http://10.0.0.5:8101']);
    world.cloud.faults.add({ hang: true });
    world.start();
    await world.run(MINUTE);
    const at = world.now();
    assert.equal(await world.stop(), 'incomplete');
    assert.ok(world.now() - at <= 30 * SECOND);
    assert.deepEqual(world.farm.urls(), []);
  });

  for (const [what, hangs] of [
    ['file hangs', { write: true, read: true }],
    ['file and Apache hang', { write: true, read: true, reload: true }],
    ['reload hangs', { reload: true }],
  ] as const) {
    it(`goes on without a farm whose ${what}`, async () => {
      const world = await serving(2);
      world.farm.hang(hangs);
      await world.run(2 * MINUTE);
      const at = world.now();
      assert.equal(await world.stop(), 'clean', world.log.text());
      assert.ok(world.now() - at <= 5 * MINUTE, `${(world.now() - at) / SECOND} s`);
      world.assertNothingLeft();
    });

    it(`after a second signal is over within 15 s though ${what}`, async () => {
      const world = await serving(2);
      world.farm.hang(hangs);
      world.balancer.stop();
      await world.run(SECOND);
      const at = world.now();
      world.balancer.stop();
      await world.clock.run(world.balancer.ended);
      assert.ok(world.now() - at <= 15 * SECOND, `${(world.now() - at) / SECOND} s`);
      assert.deepEqual(world.live(), []);
    });
  }

  for (const fault of [
    { code: 'UnauthorizedOperation' },
    { code: 'UnauthorizedOperation', action: 'DescribeInstances' },
    { code: 'UnauthorizedOperation', action: 'TerminateInstances' },
    { code: NO_ANSWER },
    { hang: true },
    { hang: true, action: 'DescribeInstances' },
  ] as const) {
    it(`after a second signal is over within 15 s while EC2 fails so: ${JSON.stringify(fault)}`, async () => {
      const world = await serving(2);
      const ids = world.live().map(it => it.id);
      world.cloud.faults.add(fault);
      world.balancer.stop();
      await world.run(40 * SECOND);
      const at = world.now();
      const calls = world.cloud.calls().length;
      world.balancer.stop();
      assert.equal(await world.clock.run(world.balancer.ended), 'incomplete');
      assert.ok(world.now() - at <= 15 * SECOND, `${(world.now() - at) / SECOND} s`);
      // A read is repeated within its call, at once.
      const made = Map.groupBy(world.cloud.calls().slice(calls), it => it.action);
      for (const [action, all] of made) assert.ok(all.length <= 4, `${action}: ${all.length} times`);
      for (const id of ids)
        assert.ok(world.log.has(new RegExp(`left in EC2: .*${id}.* gc --conf`)), world.log.text());
    });
  }

  it('ends within five minutes though a drain would take longer', async () => {
    const world = await serving(2, { master: { drainTime: 60 * MINUTE } });
    const at = world.now();
    assert.equal(await world.stop(), 'clean');
    assert.ok(world.now() - at <= 5 * MINUTE, `${(world.now() - at) / SECOND} s`);
    world.assertNothingLeft();
  });

  it('comes by itself, and keeps the slaves, when nobody can write the farm file any more', async () => {
    const lost = Promise.withResolvers<UserError>();
    const world = await serving(2, { crippled: lost.promise });
    const listed = world.farm.urls();
    lost.resolve(failure('the keeper has ended'));
    assert.equal(await world.clock.run(world.balancer.ended), 'crippled');
    assert.ok(world.log.has(/the keeper has ended/));
    assert.deepEqual([world.farm.urls(), world.live().length], [listed, 2]);
  });

  it('that is under way when nobody can write the farm file any more still ends the slaves', async () => {
    const lost = Promise.withResolvers<UserError>();
    const world = await serving(2, { crippled: lost.promise });
    world.farm.hang({ write: true });
    world.balancer.stop();
    lost.resolve(failure('the keeper has ended'));
    assert.equal(await world.clock.run(world.balancer.ended), 'clean');
    world.assertNothingLeft();
  });

  it('outlives a bad quarter of an hour of the farm file, and says what to do', async () => {
    const world = await serving(2);
    world.farm.fail({ write: 'renderfarm.conf: read-only file system', reload: 'no' });
    assert.equal(await world.stop(), 'clean');
    assert.ok(world.log.has(/set "renderfarm = 0" in it by hand/));
    world.assertNothingLeft();
  });

  it('survives errors that come and go: everything is gone at the end', async () => {
    for (let round = 0; round < 20; round++) {
      const world = await serving(2, { seed: `round ${round}` });
      world.cloud.faults.add({ code: 'RequestLimitExceeded', probability: 0.15 });
      world.cloud.faults.add({ code: NO_ANSWER, when: 'after', probability: 0.1 });
      assert.equal(await world.stop(), 'clean', world.log.text());
      world.assertDrained();
      world.cloud.faults.clear();
      world.assertNothingLeft();
    }
  });
});
