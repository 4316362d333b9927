import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Apache, apacheMissing, startApache } from '../peers/apache.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { createVisitors } from '../peers/visitors.ts';
import { createMaster, until } from './world.ts';

const skip = apacheMissing() || ec2Missing();
const MANUAL = readFileSync(path.join(import.meta.dirname, '../config/fixtures/manual.conf'), 'utf8');
const DRAIN_SECONDS = 3;

let ec2: Ec2StandIn;
let apache: Apache;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startApache()]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

test("the manual's configuration: slaves come and go with Apache's load, and at the end nothing is left", {
  skip,
}, async t => {
  const master = createMaster(t, {
    ec2,
    name: 'story',
    statusUrl: apache.statusUrl,
    conf: MANUAL,
    options: { external_ip: '192.0.2.1', poll_interval: '0.05', drain_time: String(DRAIN_SECONDS) },
  });
  const { account, farmFile } = master;
  const foreign = '# kept by hand\n[GENERAL]\nrenderfarm = 0\nremote renderer =\nslave_timeout = 45\n';
  writeFileSync(farmFile, foreign);
  chmodSync(farmFile, 0o640);
  if (process.getuid?.() === 0) chownSync(farmFile, 33, 33);
  const before = statSync(farmFile);
  const visitors = createVisitors(`${apache.origin}/`);
  t.after(() => visitors.stop());
  const balancer = master.start();
  await balancer.said(/watching http/);

  // The load rises.
  visitors.come(2.5);
  const [first] = await master.serving(2);
  const [request] = await account.calls('CreateFleet');
  assert.equal(request?.region, 'us-west-2');
  for (const [parameter, value] of Object.entries({
    Type: 'instant',
    'SpotOptions.AllocationStrategy': 'price-capacity-optimized',
    'TargetCapacitySpecification.DefaultTargetCapacityType': 'spot',
    'LaunchTemplateConfigs.1.Overrides.1.InstanceType': 'm1.large',
    'LaunchTemplateConfigs.1.Overrides.1.MaxPrice': '0.1',
  })) {
    assert.equal(request?.parameters[parameter], value, parameter);
  }
  const tags = {
    Name: 'GBrowse Slave',
    Requestor: 'GBrowse AWS Balancer',
    'gbrowse-aws-balancer:master': 'story',
  };
  const { groups, requests, templates } = await account.state();
  assert.equal(first?.image, ec2.image);
  assert.equal(first?.shutdownBehaviour, 'terminate');
  assert.match(first?.userData ?? '', /^#cloud-boothook\n#!\/bin\/sh\n(.*\n)*PORTS='8101'\n/);
  assert.deepEqual(first?.volumes, [{ device: '/dev/xvda', deleteOnTermination: true }]);
  assert.deepEqual(
    first?.groups,
    groups.map(({ id }) => id),
  );
  assert.deepEqual(
    groups.map(({ rules }) => rules),
    [['8101 from 192.0.2.1/32']],
  );
  assert.deepEqual(
    requests.map(({ maxPrice }) => maxPrice),
    ['0.1', '0.1'],
  );
  for (const thing of [first, ...requests, ...groups, ...templates]) {
    assert.deepEqual({ ...thing?.tags, ...tags }, thing?.tags);
  }
  for (const url of master.farm()) assert.equal((await fetch(url, { method: 'HEAD' })).status, 403);

  visitors.come(12);
  const all = await master.serving(6);

  // The load falls.
  visitors.come(2.5);
  await until('the farm is smaller', () => master.farm().length <= 4);
  const left = master.farm();
  const released = all.filter(({ address }) => !left.includes(`http://${address}:8101`));
  const draining = await until('they are tagged', async () => {
    const { instances } = await account.state();
    return instances.filter(
      it => 'gbrowse-aws-balancer:draining' in it.tags && released.some(({ id }) => id === it.id),
    );
  });
  assert.ok(draining.every(({ state }) => state === 'running'));
  await until('they are terminated', async () => {
    const { instances } = await account.state();
    return released.every(({ id }) => instances.every(it => it.id !== id));
  });

  // The stop.
  const slaves = await master.serving(left.length).then(it => it.map(({ id }) => id));
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
  assert.deepEqual(await account.remains(), []);
  assert.equal(readFileSync(farmFile, 'utf8'), foreign);
  const { mode, uid, gid } = statSync(farmFile);
  assert.deepEqual({ mode, uid, gid }, { mode: before.mode, uid: before.uid, gid: before.gid });

  // Each slave was out of the farm for the whole of drain_time before it was terminated.
  const terminations = await account.calls('TerminateInstances');
  for (const { id, address } of all) {
    const out = master.history().findLast(({ slaves }) => slaves.some(url => url.includes(`//${address}:`)));
    const gone = master.history()[master.history().indexOf(out ?? assert.fail()) + 1]?.at ?? Number.NaN;
    const ended = terminations.find(({ parameters }) => Object.values(parameters).includes(id))?.at;
    assert.ok(
      (ended ?? 0) - gone >= DRAIN_SECONDS * 1000,
      `${id} left at ${gone}, was terminated at ${ended}`,
    );
  }
  const order = (await account.calls()).map(({ action }) => action);
  assert.ok(slaves.length > 0);
  assert.ok(order.lastIndexOf('DeleteSecurityGroup') > order.lastIndexOf('TerminateInstances'));
  assert.doesNotMatch(balancer.stderr(), /WARN|ERROR/);
  assert.ok(!balancer.stderr().includes('\u001b'), 'no colours');
  t.diagnostic(`the log:\n${balancer.stderr()}`);
});
