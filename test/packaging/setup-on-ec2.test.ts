import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ec2Missing } from '../peers/ec2-stand-in.ts';
import { type Cloud, farm, startCloud } from './fixtures/cloud.ts';
import { MASTER, ROLE } from './fixtures/cloud-master.ts';
import { type Machine, startMachine, until } from './fixtures/machine.ts';
import { bring, ourPackage, removePackages } from './fixtures/packages.ts';
import { onPath, rootsMissing } from './fixtures/roots.ts';
import { atTerminal, ENTER } from './fixtures/terminal.ts';

const CONF = '/etc/gbrowse2/aws_balancer.conf';
const DEFAULTS = '/etc/default/gbrowse-aws-balancer';

const missing = rootsMissing() || ec2Missing() || (onPath('ip') ? false : 'ip is not installed');

describe('setup on an EC2 instance with a role', { skip: missing }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let cloud: Cloud;
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service' });
    cloud = await startCloud(scope, machine, { onEc2: true });
    machine.write('/sbin/runlevel', '#!/bin/sh\necho N 2\n', 0o755);
    machine.write('/etc/hosts', '127.0.0.1 localhost packaging\n');
    machine.write('/etc/gbrowse/GBrowse.conf', '[GENERAL]\n#include renderfarm.conf\n');
    bring(machine, await ourPackage('0.1.0'), 'n');
    await removePackages();
    await machine.must('dpkg -i /var/tmp/n.deb');
    machine.write(
      DEFAULTS,
      `${machine.read(DEFAULTS)}export AWS_ENDPOINT_URL_EC2=${cloud.endpoint}\n`,
      0o600,
    );
    // The load is that of the stand-in, and two slaves answer to it.
    const conf = (machine.read(CONF) ?? '')
      .replace(/^(server_status_url *=) \S+/m, `$1 ${cloud.statusUrl}`)
      .replace(/^(poll_interval *=) \S+/m, '$1 0.02')
      .replace(/^#(drain_time *=) \S+/m, '$1 1')
      .replace(/^0\.1[\s\S]*?^15\.0.*$/m, '1.0 2 2');
    machine.write(CONF, conf);
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  test('it asks for no region, key or name: the instance and its role give them, and none is written', async t => {
    const defaults = machine.read(DEFAULTS);
    const terminal = await atTerminal(t, machine, 'gbrowse-aws-balancer setup');
    await terminal.answer(`this machine is ${MASTER.instanceId} in ${MASTER.zone}`, '');
    await terminal.answer(`Credentials: AWS accepts ${cloud.accessKey}`, '');
    await terminal.answer('❯ Instance types of the slaves', ENTER);
    await terminal.answer('❯ The most that an hour of a slave may cost', '\x150.08\r');
    await terminal.answer('❯ Subnet of the slaves (empty: that of this machine)', ENTER);
    await terminal.answer('❯ Write this?', ENTER);
    await terminal.answer('❯ Make the image of the slaves now?', ENTER);
    await terminal.answer('❯ Copy the data of GBrowse', ENTER);
    assert.equal(await terminal.ended(), 0);
    const shown = terminal.shown();
    const { subnets } = await cloud.state();
    const subnet = subnets.find(it => it.zone === MASTER.zone);
    assert.ok(shown.includes(`slaves run in ${subnet?.id} of ${subnet?.vpc}, in ${MASTER.zone}.`), shown);
    for (const question of ['❯ AWS region', 'access key (', 'The name by which'])
      assert.equal(shown.includes(question), false, question);
    for (const secret of Object.values(ROLE)) assert.equal(shown.includes(secret), false);
    assert.equal(machine.read(DEFAULTS), defaults);
    const conf = machine.read(CONF) ?? '';
    for (const option of ['region', 'image_id', 'subnet', 'security_group'])
      assert.match(conf, new RegExp(`^${option} += +#`, 'm'));
    assert.match(conf, /^spot_bid += 0\.08/m);
  });

  test('the service that starts with it has slaves in the master’s subnet, paid for with the role', async () => {
    await cloud.load(3);
    await machine.must('service gbrowse-aws-balancer start');
    await until('two slaves are in the farm', () => farm(machine).length === 2);
    const { instances, groups } = await cloud.state();
    assert.deepEqual([...new Set(instances.map(it => it.zone))], [MASTER.zone]);
    assert.deepEqual(
      groups.map(it => it.rules),
      [[`8101 from ${MASTER.address}/32`]],
    );
    await machine.must('service gbrowse-aws-balancer stop');
    assert.deepEqual(await cloud.remains(), []);
    const tokens = new Set((await cloud.calls()).map(it => `${it.region} ${it.securityToken}`));
    assert.deepEqual([...tokens], [`${MASTER.region} ${ROLE.sessionToken}`]);
  });
});
