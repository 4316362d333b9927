import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { createSdkEc2, type SdkEc2 } from '../../src/ec2/sdk.ts';
import { createSpotFleet } from '../../src/spot/fleet.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';

const { config } = parseConfig(
  'aws_balancer.conf',
  `[LOAD TABLE]
1 1 3
[MASTER]
poll_interval = 0.5
server_status_url = http://localhost/server-status
[SLAVE]
instance_type = m5.large
spot_bid = 0.10
on_demand = 2
`,
);

describe('slaves on demand over the wire', { skip: ec2Missing() }, () => {
  let peer: Ec2StandIn;
  let sdk: SdkEc2;
  before(async () => {
    peer = await startEc2();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_EC2: peer.endpoint,
      AWS_ACCESS_KEY_ID: 'AKIDBUYER',
      AWS_SECRET_ACCESS_KEY: 'a-secret',
    });
    sdk = createSdkEc2({ region: 'us-west-2' });
  });
  after(async () => {
    sdk.close();
    await peer.stop();
  });

  it('come from a template of their own, without a spot request, and are told from spot slaves', async () => {
    assert.ok(config);
    const fleet = createSpotFleet({
      ec2: sdk.ec2,
      site: {
        name: 'buyer',
        reach: 'private',
        image: 'GBrowse-2.54',
        region: 'us-west-2',
        address: '10.9.9.9',
      },
      findAddress: () => Promise.resolve('10.9.9.9'),
    });
    const plan = await fleet.prepare(config);
    const { onDemand } = plan;
    assert.ok(onDemand);
    assert.notEqual(onDemand.templateId, plan.templateId);
    assert.equal(onDemand.dearest, 0.096);
    const refused = await fleet.launch({
      token: 'wrong',
      count: 1,
      plan,
      onDemand: { ...onDemand, templateId: plan.templateId },
    });
    assert.deepEqual([refused.instanceIds, refused.refusals[0]?.code], [[], 'InvalidParameterValue']);
    const bought = await fleet.launch({ token: 'bought', count: 2, plan, onDemand });
    const spot = await fleet.launch({ token: 'spot', count: 1, plan });
    assert.deepEqual([bought.instanceIds.length, spot.instanceIds.length], [2, 1]);
    const slaves = await fleet.describeSlaves();
    assert.deepEqual(
      slaves
        .filter(it => it.onDemand === true)
        .map(it => it.instanceId)
        .toSorted(),
      [...bought.instanceIds].toSorted(),
    );
    assert.equal(slaves.length, 3);
    await fleet.terminate(slaves.map(it => it.instanceId));
  });
});
