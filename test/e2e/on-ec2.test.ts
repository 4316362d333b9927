import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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
