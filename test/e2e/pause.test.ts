import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, until } from './world.ts';

describe('pause and resume', { skip: ec2Missing(), concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('GBrowse draws locally while slaves are kept, over a restart, until resume', async t => {
    const master = createMaster(t, { ec2, name: 'paused', statusUrl: apache.url });
    const first = master.start();
    const slaves = await master.serving(2);
    assert.match(
      await master.done('pause', '--for', '2h'),
      /^Paused until \S+ \S+ UTC \(2 h from now\): GBrowse draws locally/,
    );
    // It has confirmed it, so the farm is empty by now.
    assert.deepEqual(master.farm(), []);
    assert.match(await master.done('status'), /^Paused {4}until [\s\S]*the slaves are kept/m);
    const state = path.join(master.directory, 'state');
    const [file = ''] = readdirSync(state).filter(it => it.startsWith('pause-'));
    assert.equal(statSync(path.join(state, file)).mode & 0o777, 0o600);

    first.signal('SIGUSR2');
    assert.equal(await first.ended(), 0);
    const second = master.start();
    await second.said(/paused until .* UTC/);
    for (const { id } of slaves) await second.said(new RegExp(`found running slave ${id}`));
    assert.match(await master.done('resume'), /^The pause is over/);
    assert.deepEqual(
      (await master.serving(2)).map(it => it.id).toSorted(),
      slaves.map(it => it.id).toSorted(),
    );
    assert.match(await master.done('resume'), /was not paused/);
    assert.equal((await master.account.calls('CreateFleet')).length, 1);
    second.signal('SIGTERM');
    assert.equal(await second.ended(), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('with --release the slaves end; a damaged file is reported and holds nothing', async t => {
    const master = createMaster(t, { ec2, name: 'released', statusUrl: apache.url });
    const balancer = master.start();
    await master.serving(2);
    await master.done('pause', '--release');
    await until('no slave is left', async () => (await master.account.state()).instances.length === 0);
    const state = path.join(master.directory, 'state');
    const [file = ''] = readdirSync(state).filter(it => it.startsWith('pause-'));
    writeFileSync(path.join(state, file), '{"kind":"pause","version":1');
    await balancer.said(/is not used, so there is no pause: it is incomplete or damaged/);
    await master.serving(2);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('says what cannot be done: no state directory yet, an invalid time', async t => {
    const master = createMaster(t, { ec2, name: 'never started', statusUrl: apache.url });
    const early = master.run(['pause', '--conf', master.confFile]);
    assert.equal(await early.ended(), 1);
    assert.match(early.stderr(), /there is no state directory .*first start with .* creates it/);
    const odd = master.run(['pause', '--for', 'ever', '--conf', master.confFile]);
    assert.equal(await odd.ended(), 2);
    assert.match(odd.stderr(), /--for is "ever", expected a time such as 90m, 2h or 7d/);
  });
});
