import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, until } from './world.ts';

describe('--dry-run', { concurrency: true, skip: ec2Missing() }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(2)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  function lookOf(master: Master) {
    const { mtimeNs, ino } = statSync(master.farmFile, { bigint: true });
    return { text: readFileSync(master.farmFile, 'utf8'), mtimeNs, ino };
  }

  test('says what it would launch, once, and asks EC2 for nothing but descriptions', async t => {
    const master = createMaster(t, { ec2, name: 'dry-run', statusUrl: apache.url });
    const before = lookOf(master);
    const dryRun = master.start('--dry-run');
    await dryRun.said(
      /INFO +dry run: would launch 1 slave \(load \d\.\d+ requests\/s: 1 to 2 slaves wanted\): m5\.large/,
    );
    const calls = await master.account.calls('DescribeInstances');
    await until(
      'it has looked again',
      async () => (await master.account.calls('DescribeInstances')).length > calls.length + 1,
    );
    assert.equal(dryRun.stderr().match(/would launch/g)?.length, 1);
    dryRun.signal('SIGTERM');
    assert.equal(await dryRun.ended(), 0);
    assert.match(dryRun.stderr(), /dry run: stopped, and nothing was changed\n$/);
    for (const line of dryRun.stderr().trim().split('\n')) assert.match(line, / dry run: /);
    const made = (await master.account.calls()).map(call => call.action);
    assert.deepEqual(
      made.filter(action => !action.startsWith('Describe')),
      [],
    );
    assert.ok(made.includes('DescribeImages') && made.includes('DescribeSubnets'));
    assert.deepEqual(lookOf(master), before);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('beside the running balancer of the same master touches neither its slaves nor its farm', async t => {
    const master = createMaster(t, { ec2, name: 'beside', statusUrl: apache.url });
    const balancer = master.start();
    await master.serving(1);
    const before = lookOf(master);
    const looker = ec2.account('beside looker');
    const dryRun = master.run(['run', '--conf', master.confFile, '--dry-run'], {
      ...master.environment,
      AWS_ACCESS_KEY_ID: looker.accessKey,
    });
    await dryRun.said(/dry run: found running slave i-\w+ .*, serving/);
    await until('it has looked again', async () => (await looker.calls('DescribeInstances')).length > 2);
    dryRun.signal('SIGINT');
    assert.equal(await dryRun.ended(), 0);
    assert.doesNotMatch(dryRun.stderr(), /would/);
    const made = (await looker.calls()).map(call => call.action);
    assert.deepEqual(
      made.filter(action => !action.startsWith('Describe')),
      [],
    );
    assert.deepEqual(lookOf(master), before);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  for (const words of [
    ['--background'],
    ['--pidfile', '/tmp/x.pid'],
    ['--kill'],
    ['--metrics-file', '/tmp/x.prom'],
  ]) {
    test(`cannot be combined with ${words[0]}`, async t => {
      const master = createMaster(t, { ec2, name: 'refused', statusUrl: apache.url });
      const program = master.start('--dry-run', ...words);
      assert.equal(await program.ended(), 2);
      assert.equal(program.stderr(), `--dry-run cannot be combined with ${words[0]}\n`);
    });
  }
});
