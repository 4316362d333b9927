import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { createSdkEc2, type SdkEc2 } from '../../src/ec2/sdk.ts';
import { createSpotFleet, type SpotFleet } from '../../src/spot/fleet.ts';
import { findMotoServer, type Moto, REGION, startMoto } from '../peers/moto.ts';

const server = findMotoServer();

const CONFIG: Config = {
  file: 'aws_balancer.conf',
  loadTable: [{ requestsPerSecond: 1, min: 1, max: 3 }],
  master: {
    pollInterval: 30_000,
    serverStatusUrl: 'http://localhost/server-status',
    reloadCommand: 'none',
    drainTime: 60_000,
    farm: 'file',
    farmList: '/nonexistent/slaves',
    stateDirectory: '/nonexistent/state',
    overload: 'climb',
    releaseAfter: 'never',
  },
  slave: {
    instanceTypes: ['m5.large', 'm6i.large'],
    spotBid: 0.1,
    ports: [8101, 8102],
    imageOwners: ['self'],
    dataSnapshots: [],
    bootTimeout: 600_000,
    orphanTimeout: 3_600_000,
    sshUser: 'admin',
    onDemand: 0,
  },
};

describe('the spot manager over the wire', { skip: server === undefined && 'no moto_server' }, () => {
  let moto: Moto;
  let sdk: SdkEc2;
  let ec2: Ec2;
  let address = '198.51.100.7';
  const calls: string[] = [];

  before(async () => {
    moto = await startMoto(server ?? '');
    Object.assign(process.env, moto.environment);
    sdk = createSdkEc2({ region: REGION });
    ec2 = (action, request, options) => {
      calls.push(action);
      return sdk.ec2(action, request, options);
    };
  });
  after(async () => {
    sdk.close();
    await moto.stop();
  });

  function fleetOf(name: string, reach: 'private' | 'public' = 'public'): SpotFleet {
    return createSpotFleet({
      ec2,
      site: { name, reach, image: 'GBrowse-2.54' },
      findAddress: () => Promise.resolve(address),
    });
  }

  async function ingressOf(name: string): Promise<string[]> {
    const { SecurityGroups = [] } = await ec2('DescribeSecurityGroups', {
      Filters: [{ Name: 'tag:gbrowse-aws-balancer:master', Values: [name] }],
    });
    return SecurityGroups.flatMap(group => group.IpPermissions ?? [])
      .flatMap(rule => (rule.IpRanges ?? []).map(range => `${rule.FromPort}-${rule.ToPort} ${range.CidrIp}`))
      .toSorted();
  }

  it('prepares one group that lets in the master alone, and one launch template, however often', async () => {
    const fleet = fleetOf('prepare');
    const first = await fleet.prepare(CONFIG);
    const second = await fleet.prepare(CONFIG);
    assert.equal(first.found, false);
    assert.equal(second.found, true);
    assert.equal(second.templateId, first.templateId);
    assert.deepEqual(await ingressOf('prepare'), ['8101-8101 198.51.100.7/32', '8102-8102 198.51.100.7/32']);
    assert.equal(first.pools.length, 2 * new Set(first.pools.map(pool => pool.subnetId)).size);
  });

  it('follows a master whose address changes', async () => {
    const fleet = fleetOf('moving');
    await fleet.prepare(CONFIG);
    address = '203.0.113.9';
    await fleet.prepare(CONFIG);
    assert.deepEqual(await ingressOf('moving'), ['8101-8101 203.0.113.9/32', '8102-8102 203.0.113.9/32']);
  });

  it('replaces the launch template when the configuration changes', async () => {
    const fleet = fleetOf('changing');
    const before = await fleet.prepare(CONFIG);
    const changed = await fleet.prepare({ ...CONFIG, slave: { ...CONFIG.slave, ports: [8103] } });
    assert.notEqual(changed.templateId, before.templateId);
    const { LaunchTemplates = [] } = await ec2('DescribeLaunchTemplates', {
      Filters: [{ Name: 'tag:gbrowse-aws-balancer:master', Values: ['changing'] }],
    });
    assert.deepEqual(
      LaunchTemplates.map(template => template.LaunchTemplateId),
      [changed.templateId],
    );
    assert.deepEqual(await ingressOf('changing'), [`8103-8103 ${address}/32`]);
  });

  it('launches, sees, marks, terminates and leaves nothing behind; two masters never touch each other', async () => {
    // moto drops a fleet's network interfaces, so that its instances have private addresses alone.
    const fleet = fleetOf('one', 'private');
    const other = fleetOf('two');
    const launched = await fleet.launch({ token: 'one-1', count: 2, plan: await fleet.prepare(CONFIG) });
    const foreign = await other.launch({ token: 'two-1', count: 1, plan: await other.prepare(CONFIG) });
    assert.equal(launched.instanceIds.length, 2);

    calls.length = 0;
    const seen = await fleet.describeSlaves();
    assert.ok(calls.length <= 2, `a look takes at most two calls: ${calls.join(' ')}`);
    assert.deepEqual(seen.map(slave => slave.instanceId).toSorted(), launched.instanceIds.toSorted());
    for (const slave of seen) assert.match(slave.address ?? '', /^\d+\.\d+\.\d+\.\d+$/);

    const since = Date.parse('2026-01-02T03:04:05Z');
    await fleet.markDraining(launched.instanceIds, since);
    assert.deepEqual(
      (await fleet.describeSlaves()).map(slave => slave.drainingSince),
      [since, since],
    );

    await fleet.terminate([...launched.instanceIds, 'i-0000000000000dead']);
    for (const slave of await fleet.describeSlaves()) assert.match(slave.state, /shutting-down|terminated/);
    assert.equal(await fleet.tidy(), true);
    assert.deepEqual(await ingressOf('one'), []);

    const survivor = (await other.describeSlaves()).find(slave =>
      foreign.instanceIds.includes(slave.instanceId),
    );
    assert.match(survivor?.state ?? 'gone', /pending|running/);
    assert.equal((await ingressOf('two')).length, 2);
  });

  it('takes an image by id, by name and by a part of its name, but not a stranger’s', async () => {
    const prepared = async (image: string, imageOwners: string[]) => {
      const fleet = createSpotFleet({
        ec2,
        site: { name: `image ${image}`, reach: 'public', image },
        findAddress: () => Promise.resolve(address),
      });
      return fleet.prepare({ ...CONFIG, slave: { ...CONFIG.slave, imageOwners } });
    };
    for (const image of [moto.image, 'GBrowse-2.54', 'GBrowse']) await prepared(image, ['self']);
    await assert.rejects(prepared('GBrowse-9', ['self']), /no available AMI whose name has "GBrowse-9"/);
    await assert.rejects(prepared('GBrowse', ['210987654321']), /belongs to 210987654321/);
    await assert.rejects(
      prepared('ami-0000000000000dead', ['self']),
      /there is no AMI ami-0000000000000dead/,
    );
  });

  it('says which group is wrong when security_group names none', async () => {
    const slave = { ...CONFIG.slave, securityGroup: 'sg-0000000000000dead' };
    await assert.rejects(fleetOf('given').prepare({ ...CONFIG, slave }), /sg-0000000000000dead/);
  });
});
