import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, until } from './world.ts';

const skip = ec2Missing();

describe('what a balancer leaves behind, the next one takes up', { skip, concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
    // As EC2, which shows a new instance only after some seconds.
    await ec2.settings({ lag: 2 });
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  const launches = async (master: Master) => (await master.account.calls('CreateFleet')).length;

  async function stopsCleanly(master: Master, balancer: ReturnType<Master['start']>): Promise<void> {
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual(master.farm(), []);
    assert.deepEqual(await master.account.remains(), []);
  }

  test('after kill -9 the slaves go on serving under the next balancer', async t => {
    const master = createMaster(t, { ec2, name: 'killed', statusUrl: apache.url });
    const first = master.start();
    const slaves = await master.serving(2);
    first.signal('SIGKILL');
    assert.equal(await first.ended(), 'SIGKILL');

    const since = master.history().length;
    const second = master.start();
    for (const { id } of slaves) await second.said(new RegExp(`found running slave ${id} .*, serving`));
    await second.said(/load [\d.]+ requests\/s/);
    await until(
      'some rounds are over',
      async () => (await master.account.calls('DescribeInstances')).length > 8,
    );
    assert.equal(await launches(master), 1);
    assert.equal(master.history().length, since);
    await stopsCleanly(master, second);
  });

  test('kill -9 before CreateFleet has answered: the slaves that it gave are taken up, no others launched', async t => {
    const master = createMaster(t, { ec2, name: 'unanswered', statusUrl: apache.url });
    await master.account.fault({ action: 'CreateFleet', after: true, hang: 15 });
    const first = master.start();
    await until('EC2 has launched', async () => (await master.account.state()).instances.length === 2);
    first.signal('SIGKILL');
    await first.ended();

    const second = master.start();
    await master.serving(2);
    assert.equal(await launches(master), 1);
    await stopsCleanly(master, second);
  });

  test('an answer of CreateFleet that is lost: the call is repeated under its token, and gives nothing more', async t => {
    const master = createMaster(t, { ec2, name: 'lost', statusUrl: apache.url });
    await master.account.fault({ action: 'CreateFleet', after: true, drop: true });
    const balancer = master.start();
    await master.serving(2);
    const tokens = (await master.account.calls('CreateFleet')).map(
      ({ parameters }) => parameters.ClientToken,
    );
    assert.equal(new Set(tokens).size, 1);
    assert.equal((await master.account.state({ ended: true })).instances.length, 2);
    await stopsCleanly(master, balancer);
  });

  test('--kill --keep-slaves: slaves and farm stay for the next start', async t => {
    const master = createMaster(t, { ec2, name: 'kept', statusUrl: apache.url });
    const pidfile = path.join(master.directory, 'pid');
    const first = master.start('--pidfile', pidfile);
    const slaves = await master.serving(2);
    const since = master.history().length;
    assert.equal(await master.run(['--kill', '--keep-slaves', '--pidfile', pidfile]).ended(), 0);
    assert.equal(await first.ended(), 0);
    assert.match(first.stderr(), /the slaves stay for the next start/);
    assert.equal((await master.account.state()).instances.length, 2);

    const second = master.start('--pidfile', pidfile);
    for (const { id } of slaves) await second.said(new RegExp(`found running slave ${id} .*, serving`));
    await second.said(/load [\d.]+ requests\/s/);
    assert.equal(master.history().length, since);
    assert.equal(await master.run(['--kill', '--pidfile', pidfile]).ended(), 0);
    assert.equal(await second.ended(), 0);
    assert.equal(await launches(master), 1);
    assert.deepEqual(master.farm(), []);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('a second signal does not wait for the drain', async t => {
    const options = { drain_time: '600' };
    const master = createMaster(t, { ec2, name: 'hurried', statusUrl: apache.url, options });
    const balancer = master.start();
    await master.serving(2);
    balancer.signal('SIGINT');
    await balancer.said(/waiting up to 210 s/);
    await master.serving(0);
    balancer.signal('SIGTERM');
    await balancer.ended();
    assert.deepEqual((await master.account.state()).instances, []);
  });

  test('two masters in one account: each takes up and ends only its own slaves', async t => {
    const masters = ['one', 'two'].map(name => createMaster(t, { ec2, name, statusUrl: apache.url }));
    const [one, two] = masters;
    assert.ok(one && two);
    const [first, second] = [one.start(), two.start()];
    await Promise.all([one.serving(2), two.serving(2)]);
    await stopsCleanly(one, first);
    assert.equal(two.farm().length, 2);
    assert.equal((await two.account.state()).instances.length, 2);
    await stopsCleanly(two, second);
  });
});
