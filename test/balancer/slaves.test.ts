import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { NO_ANSWER } from '../../src/ec2/errors.ts';
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
      await world.run(4 * MINUTE);
      assert.ok(world.terminations().has(dead.id));
      assert.equal(world.live().length, 2);
    });
  }

  it('and only misses a probe stays in the farm', async () => {
    const world = await serving(1);
    const slave = firstListed(world);
    world.slaves.set(slave.id, 'refuses');
    await world.when('a missed probe', () => world.log.has(/refuses connections: probe 1 of 3/));
    world.slaves.set(slave.id, 'serves');
    await world.run(5 * MINUTE);
    assert.deepEqual(world.listed(), [slave.id]);
    assert.equal(world.farm.writes().length, 1);
  });

  it('because EC2 reclaims it leaves at the notice and is replaced before it ends', async () => {
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
    assert.ok(world.log.has(/has terminated unexpectedly/));
  });
});

describe('a slave that accepts connections and does not answer', () => {
  it('leaves the farm, and comes back when it answers', async () => {
    const world = await serving(2);
    const busy = firstListed(world);
    world.slaves.set(busy.id, 'hangs');
    await world.when('out', () => !world.listed().includes(busy.id));
    await world.run(MINUTE);
    world.slaves.set(busy.id, 'serves');
    await world.when('back', () => world.listed().includes(busy.id), 10 * SECOND);
    await world.run(10 * MINUTE);
    assert.ok(!world.terminations().has(busy.id));
    assert.ok(world.log.has(/answers again: returned to the farm/));
  });

  for (const pollInterval of [1.8 * SECOND, 5 * SECOND, MINUTE, 5 * MINUTE]) {
    it(`is given up after three times slave_timeout, not before, at a poll of ${pollInterval / SECOND} s`, async () => {
      const world = await serving(2, { master: { pollInterval } });
      const busy = firstListed(world);
      world.slaves.set(busy.id, 'hangs');
      await world.when('out', () => !world.listed().includes(busy.id));
      await world.run(115 * SECOND);
      assert.ok(!world.log.has(/releasing slave/));
      await world.run(35 * SECOND);
      assert.ok(world.log.has(new RegExp(`releasing slave ${busy.id} .*it does not answer`)));
    });
  }

  it('is not given up while the network of the master is gone, though EC2 answered after it fell silent', async () => {
    const world = await serving(2);
    const busy = firstListed(world);
    world.slaves.set(busy.id, 'hangs');
    await world.when('out', () => !world.listed().includes(busy.id));
    await world.run(100 * SECOND);
    world.cloud.faults.add({ code: NO_ANSWER });
    world.answerProbes('dark');
    await world.run(10 * MINUTE);
    assert.ok(!world.log.has(/releasing slave/));
    world.cloud.faults.clear();
    world.answerProbes(undefined);
    await world.when('given up', () =>
      world.log.has(new RegExp(`releasing slave ${busy.id} .*it does not answer`)),
    );
  });

  it('is not replaced beyond the largest max while it may come back', async () => {
    const world = await serving(2, { table: [[1, 2, 2]] });
    const busy = firstListed(world);
    world.slaves.set(busy.id, 'hangs');
    await world.run(2 * MINUTE);
    assert.equal(world.live().length, 2);
    await world.when('two again', () => world.farm.urls().length === 2);
  });
});

describe("trouble of the master's own", () => {
  it('that keeps it from asking changes nothing, however long', async () => {
    const world = await serving(2);
    const listed = world.listed();
    world.answerProbes('unknown');
    await world.run(30 * MINUTE);
    assert.deepEqual(world.listed(), listed);
    world.answerProbes(undefined);
    await world.run(5 * MINUTE);
    assert.deepEqual([world.listed(), world.terminations().size], [listed, 0]);
  });

  it('does not count against a slave that boots', async () => {
    const world = createWorld({ load: 3 });
    world.start();
    await world.when('a launch', () => world.live().length === 1);
    world.answerProbes('unknown');
    await world.run(20 * MINUTE);
    world.answerProbes(undefined);
    await world.when('a slave in the farm', () => world.farm.urls().length === 1, MINUTE);
    assert.equal(world.live().length, 1);
  });

  for (const answer of ['dark', 'silent', 'refused'] as const) {
    it(`as all slaves seem ${answer} together while EC2 cannot be reached either: nobody is terminated`, async () => {
      const world = await serving(2);
      const listed = world.listed();
      world.cloud.faults.add({ code: NO_ANSWER });
      world.answerProbes(answer);
      await world.run(20 * MINUTE);
      assert.deepEqual(world.farm.urls(), []);
      world.cloud.faults.clear();
      world.answerProbes(undefined);
      await world.run(10 * MINUTE);
      assert.deepEqual([world.listed(), world.terminations().size], [listed, 0]);
    });
  }
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

  for (const [what, answer, cause, hint] of [
    [
      'refuses connections',
      'refused',
      /it refused connections to port 8101/,
      /see "gbrowse-aws-balancer logs"/,
    ],
    ['hangs', 'silent', /it accepted connections to port 8101 and did not answer/, /hangs/],
    ['cannot be reached', 'dark', /there was no answer from port 8101 of [0-9.]+/, /external_ip/],
  ] as const)
    it(`as it ${what}: the log says so of each, and warns once, when launches wait, for how long and what to do`, async () => {
      const world = createWorld({ load: 3, table: [[1, 2, 3]] });
      world.answerProbes(answer);
      world.start();
      await world.until(8 * HOUR);
      const lines = world.log.text().split('\n');
      const released = lines.filter(it => /: it did not become ready in time: /.test(it));
      assert.ok(released.length > 5 && released.every(it => cause.test(it)));
      const warned = lines.filter(it => /warn .*slaves in a row did not become ready/.test(it));
      assert.equal(warned.length, 1);
      assert.match(warned[0] ?? '', /the next one is launched in \d+ min/);
      assert.match(warned[0] ?? '', cause);
      assert.match(warned[0] ?? '', hint);
      world.answerProbes(undefined);
      await world.when('a slave', () => world.farm.urls().length > 0, 10 * HOUR);
      assert.ok(world.log.has(/a slave has become ready: launches go on/));
    });

  it('as it ends by itself: the warning has the reason that EC2 gives', async () => {
    const world = createWorld({ load: 3, table: [[1, 2, 3]] });
    world.start();
    for (let step = 0; step < 900; step++) {
      await world.run(4 * SECOND);
      for (const it of world.live()) if (it.state === 'pending') world.cloud.fail(it.id);
    }
    const warned = world.log
      .text()
      .split('\n')
      .filter(it => /warn .*slaves in a row did not become ready/.test(it));
    assert.equal(warned.length, 1);
    assert.match(warned[0] ?? '', /i-\w+ ended: \S+.*; fix the cause that EC2 names/);
  });

  it('until the image is fixed: then launches go on as before', async () => {
    const world = createWorld({ load: 3, table: [[1, 1, 2]], slaves: { bootTime: 11 * MINUTE } });
    world.start();
    await world.until(2 * HOUR);
    assert.deepEqual(world.farm.urls(), []);
    world.balancer.reconfigure(world.configOf({ slave: { bootTimeout: 20 * MINUTE } }));
    await world.when('a slave', () => world.farm.urls().length === 1, HOUR);
    assert.equal(world.balancer.state.backoff.failedBoots, 0);
  });
});
