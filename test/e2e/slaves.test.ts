import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Running, until } from './world.ts';

const skip = ec2Missing();

describe('slaves in trouble, and slaves that cannot be had', { skip, concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  async function stop(balancer: Running): Promise<void> {
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  }

  test('a slave that EC2 takes back leaves the farm before it ends, and is replaced', async t => {
    const master = createMaster(t, { ec2, name: 'reclaimed', statusUrl: apache.url });
    const balancer = master.start();
    const [victim] = await master.serving(2);
    assert.ok(victim);
    await ec2.interrupt(victim.id, 120);
    await until('it is out of the farm', () => !master.farm().includes(`http://${victim.address}:8101`));
    const { instances } = await master.account.state();
    assert.equal(instances.find(({ id }) => id === victim.id)?.state, 'running');
    await master.serving(2);
    assert.match(balancer.stderr(), new RegExp(`releasing slave ${victim.id} .*EC2 reclaims it`));
    await stop(balancer);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('a slave whose port refuses is taken out and replaced', async t => {
    const master = createMaster(t, { ec2, name: 'refuse', statusUrl: apache.url });
    const balancer = master.start();
    const [victim, other] = await master.serving(2);
    assert.ok(victim && other);
    await ec2.behave(victim.id, 'refuse');
    await until('it is out of the farm', () => !master.farm().includes(`http://${victim.address}:8101`));
    assert.ok(master.farm().includes(`http://${other.address}:8101`));
    await master.serving(2);
    await until('it is terminated', async () =>
      (await master.account.state()).instances.every(({ id }) => id !== victim.id),
    );
    assert.match(balancer.stderr(), new RegExp(`releasing slave ${victim.id} .*it does not answer`));
    await stop(balancer);
  });

  test('a slave whose port hangs may be busy: it is taken out and replaced, and not given up at once', async t => {
    const master = createMaster(t, { ec2, name: 'hang', statusUrl: apache.url });
    const balancer = master.start();
    const [victim, other] = await master.serving(2);
    assert.ok(victim && other);
    await ec2.behave(victim.id, 'hang');
    await until('it is out of the farm', () => !master.farm().includes(`http://${victim.address}:8101`));
    assert.ok(master.farm().includes(`http://${other.address}:8101`));
    await master.serving(2);
    const { instances } = await master.account.state();
    assert.ok(instances.some(({ id }) => id === victim.id));
    await stop(balancer);
  });

  test('a slave that EC2 ends without notice is replaced, and the log says why it ended', async t => {
    const master = createMaster(t, { ec2, name: 'ended', statusUrl: apache.url });
    const balancer = master.start();
    const [victim] = await master.serving(2);
    assert.ok(victim);
    await ec2.interrupt(victim.id, 0);
    await until('it is out of the farm', () => !master.farm().includes(`http://${victim.address}:8101`));
    await master.serving(2);
    await stop(balancer);
  });

  test('the price is above the bid: it waits and says so; after it has fallen slaves come', async t => {
    await ec2.pool('c5.large', { price: 0.5 });
    const options = { instance_type: 'c5.large' };
    const master = createMaster(t, { ec2, name: 'dear', statusUrl: apache.url, options });
    const balancer = master.start();
    await balancer.said(
      /no slave could be launched: SpotMaxPriceTooLow.*waiting for the price to fall.*next attempt in/,
    );
    assert.deepEqual((await master.account.state()).instances, []);
    await ec2.pool('c5.large', { price: 0.05 });
    balancer.signal('SIGHUP');
    await master.serving(2);
    await stop(balancer);
  });

  test('of several instance types the next has capacity where the first has none', async t => {
    await ec2.pool('c5.xlarge', { price: 0.01, capacity: 1 });
    const options = { instance_type: 'c5.xlarge r5.large' };
    const master = createMaster(t, { ec2, name: 'several', statusUrl: apache.url, options });
    const balancer = master.start();
    const slaves = await master.serving(2);
    assert.deepEqual(slaves.map(({ type }) => type).toSorted(), ['c5.xlarge', 'r5.large']);
    await stop(balancer);
  });

  test('everything that the configuration says of a slave arrives: ports, key, zone, group, ssh', async t => {
    const options = { ports: '8101 8102', availability_zone: 'us-west-2b', ssh_key: 'John_Doe_default' };
    const master = createMaster(t, { ec2, name: 'detailed', statusUrl: apache.url, options });
    const balancer = master.start('-ssh_key', 'Jane_Doe');
    await until('both ports are listed', () => master.farm().length === 4);
    const { instances, groups } = await master.account.state();
    assert.deepEqual(
      new Set(instances.map(({ zone, key }) => `${zone} ${key}`)),
      new Set(['us-west-2b Jane_Doe']),
    );
    assert.match(instances[0]?.userData ?? '', /PORTS='8101 8102'/);
    assert.deepEqual(
      groups[0]?.rules.toSorted(),
      ['22', '8101', '8102'].map(port => `${port} from 192.0.2.1/32`),
    );
    await stop(balancer);
  });

  for (const [what, options, complaint] of [
    [
      'image',
      { image_id: 'GBrowse-3.0' },
      /image_id: no available AMI whose name has "GBrowse-3.0" belongs to self/,
    ],
    ['image id', { image_id: 'ami-0badbadbadbadbad0' }, /image_id: there is no AMI ami-0badbadbadbadbad0/],
    ['security group', { security_group: 'sg-0bad' }, /security_group: there is no security group sg-0bad/],
    ['instance type', { instance_type: 'm5.largest' }, /InvalidParameterValue.*m5\.largest/],
  ] as const) {
    test(`there is no such ${what}: it says so, and a mended configuration helps at once`, async t => {
      const name = `no-${what.replaceAll(' ', '-')}`;
      const master = createMaster(t, { ec2, name, statusUrl: apache.url, options });
      const balancer = master.start();
      await balancer.said(complaint);
      master.configure({ image_id: 'GBrowse-2.54', instance_type: 'm5.large', security_group: '' });
      balancer.signal('SIGHUP');
      await balancer.said(/configuration read again/);
      await master.serving(2);
      await stop(balancer);
      assert.deepEqual(await master.account.remains(), []);
    });
  }
});
