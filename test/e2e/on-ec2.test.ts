import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { userData } from '../../src/spot/user-data.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { startImds } from '../peers/imds.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, SECRET } from './world.ts';

const skip = ec2Missing();

let ec2: Ec2StandIn;
let apache: ModStatus;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

test('a master on EC2 needs no region, image, zone or key: all come from its instance, with a token', {
  skip,
}, async t => {
  const instanceId = 'i-0123456789abcdef0';
  const account = ec2.account(instanceId);
  const subnet = (await account.state()).subnets.find(({ zone }) => zone === 'us-west-2c');
  assert.ok(subnet);
  const imds = await startImds({
    instanceId,
    region: 'us-west-2',
    zone: subnet.zone,
    image: ec2.image,
    address: '172.31.9.9',
    subnet: subnet.id,
    vpc: subnet.vpc,
    credentials: { accessKey: account.accessKey, secretKey: SECRET, sessionToken: 'the-session-of-the-role' },
  });
  t.after(() => imds.stop());
  const master = createMaster(t, {
    ec2,
    name: instanceId,
    statusUrl: apache.url,
    options: { name: undefined, region: undefined, image_id: undefined, external_ip: undefined },
  });
  const { PATH, HOME, E2E_DIRECTORY, AWS_ENDPOINT_URL_EC2 } = master.environment;
  const balancer = master.run(['--conf', master.confFile], {
    ...{ PATH, HOME, E2E_DIRECTORY, AWS_ENDPOINT_URL_EC2 },
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
  });

  const slaves = await master.serving(2);
  for (const { zone, subnet: at, image } of slaves) {
    assert.deepEqual({ zone, at, image }, { zone: subnet.zone, at: subnet.id, image: ec2.image });
  }
  const { groups } = await account.state();
  assert.deepEqual(
    groups.map(({ rules }) => rules),
    [['8101 from 172.31.9.9/32']],
  );
  const calls = await account.calls();
  assert.ok(
    calls.every(
      ({ region, securityToken }) => `${region} ${securityToken}` === 'us-west-2 the-session-of-the-role',
    ),
  );
  assert.deepEqual(imds.refused, []);
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
  assert.deepEqual(await account.remains(), []);
});

test('a machine that was made from the image of a master, and is its slave, never runs a balancer', {
  skip,
}, async t => {
  const imds = await startImds({
    instanceId: 'i-0fedcba9876543210',
    region: 'us-west-2',
    zone: 'us-west-2c',
    image: ec2.image,
    address: '172.31.9.10',
    subnet: 'subnet-0123456789abcdef0',
    vpc: 'vpc-0123456789abcdef0',
    userData: userData({ ports: [8101], orphanTimeout: 3_600_000 }),
  });
  t.after(() => imds.stop());
  // Everything of the master's is on its disk: the configuration with its name, and its keys.
  const master = createMaster(t, { ec2, name: 'cloned', statusUrl: apache.url });
  const { AWS_EC2_METADATA_DISABLED: _, ...environment } = master.environment;
  for (const command of [[], ['check'], ['gc'], ['sync'], ['image'], ['setup', '--dry-run']]) {
    const clone = master.run([...command, '--conf', master.confFile], {
      ...environment,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
    });
    const status = await clone.ended();
    const output = (clone.stdout() + clone.stderr()).replaceAll(/\s+/g, ' ');
    assert.match(output, /i-0fedcba9876543210\) is itself a slave of a balancer/, command.join());
    assert.notEqual(status, 0);
  }
  assert.deepEqual(master.farm(), []);
  const calls = await master.account.calls();
  assert.deepEqual(
    calls.map(({ action }) => action),
    [],
  );
});
