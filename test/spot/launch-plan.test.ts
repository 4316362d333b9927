import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SlaveConfig } from '../../src/config/config.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { isUserError } from '../../src/errors.ts';
import type { Site } from '../../src/master/site.ts';
import { findImage } from '../../src/spot/image.ts';
import { createFleetRequest } from '../../src/spot/launch.ts';
import { templateData } from '../../src/spot/launch-template.ts';
import { findPlacements } from '../../src/spot/network.ts';
import { findGivenGroup } from '../../src/spot/security-group.ts';
import { slaveOf } from '../../src/spot/slave.ts';
import { survey } from '../../src/spot/survey.ts';
import { dataTag, portsOfTag, portsTag } from '../../src/spot/tags.ts';
import { DEFAULT_EC2_SETTINGS, type Ec2Settings, type SubnetSettings } from '../fake-aws/ec2/settings.ts';
import { createWorld, IMAGE, refuses } from '../fake-aws/ec2/world.ts';

const SLAVE: SlaveConfig = {
  instanceTypes: ['m5.large', 'c5.large'],
  spotBid: 0.1,
  ports: [8101, 8102],
  imageOwners: ['self'],
  dataSnapshots: ['snap-0123456789abcdef0'],
  bootTimeout: 600_000,
  orphanTimeout: 3_600_000,
  sshUser: 'admin',
  onDemand: 0,
};
const SITE: Site = { name: 'a master', reach: 'public', image: IMAGE, address: '198.51.100.7' };
const [A, B, C] = DEFAULT_EC2_SETTINGS.subnets as [SubnetSettings, SubnetSettings, SubnetSettings];
/** A second subnet in zone a, with more addresses than the first. */
const ROOMY: SubnetSettings = { id: 'subnet-0f00000000000000a', zone: A.zone, cidr: '172.31.64.0/19' };

async function placementsIn(settings: Partial<Ec2Settings>, site: Partial<Site> = {}): Promise<string[]> {
  const { ec2, clock } = createWorld(settings);
  const found = await clock.run(findPlacements(ec2, { ...SITE, ...site }, undefined));
  return found.map(it => it.subnetId).toSorted();
}

/** The message of the administrator's error. */
async function told(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => assert.fail('it went well'),
    it => it,
  );
  assert.ok(isUserError(error), String(error));
  return error.message;
}

describe('the subnets that slaves are launched into', () => {
  const inVpc = { vpc: DEFAULT_EC2_SETTINGS.vpcId };

  it('are one for each zone, the one with the most free addresses', async () => {
    assert.deepEqual(await placementsIn({ subnets: [A, B, ROOMY] }, inVpc), [B.id, ROOMY.id].toSorted());
  });

  it('give a fleet that EC2 takes, where two subnets of a zone would be refused as duplicate instance pools', async () => {
    const { ec2, clock, makeTemplate } = createWorld({ subnets: [A, B, ROOMY] });
    const templateId = await clock.run(makeTemplate());
    const { pools } = await clock.run(survey(ec2, { ...SITE, ...inVpc }, SLAVE));
    const plan = { templateId, imageId: IMAGE, found: true, spotBid: 0.1, pools };
    const answer = await clock.run(
      ec2('CreateFleet', createFleetRequest({ token: 't', count: 2, plan }, 'm')),
    );
    assert.equal(answer.Instances?.flatMap(it => it.InstanceIds ?? []).length, 2);
    const twice = { ...plan, pools: [A, ROOMY].map(it => ({ instanceType: 'm5.large', subnetId: it.id })) };
    await clock.run(
      refuses(
        ec2('CreateFleet', createFleetRequest({ token: 'u', count: 2, plan: twice }, 'm')),
        'InvalidFleetConfig',
      ),
    );
  });

  it('have a route to an internet gateway where slaves are reached by their public addresses', async () => {
    const subnets = [{ ...A, isRouted: false }, B, C];
    assert.deepEqual(await placementsIn({ subnets }), [B.id, C.id]);
    assert.deepEqual(await placementsIn({ subnets }, { reach: 'private' }), [A.id, B.id, C.id]);
  });

  it('are an error of the administrator’s where none of them has such a route', async () => {
    const { ec2, clock } = createWorld({ subnets: [A, B].map(it => ({ ...it, isRouted: false })) });
    assert.match(
      await clock.run(told(findPlacements(ec2, SITE, undefined))),
      /none of the 2 subnets of vpc-\w+ has a route to an internet gateway.*\[SLAVE\] subnet/,
    );
    assert.match(
      await clock.run(told(findPlacements(ec2, { ...SITE, subnet: A.id }, undefined))),
      /subnet-\w+ has no route to an internet gateway/,
    );
  });

  it('are taken as they are where the routes may not be described', async () => {
    const world = createWorld({ subnets: [{ ...A, isRouted: false }, B] });
    const ec2: Ec2 = (action, request, options) =>
      action === 'DescribeRouteTables'
        ? Promise.reject(new Ec2Error(action, 'UnauthorizedOperation', 'no', 403))
        : world.ec2(action, request, options);
    assert.equal((await world.clock.run(findPlacements(ec2, SITE, undefined))).length, 2);
  });

  it('are not in local or wavelength zones, unless the configuration names one', async () => {
    const local = { id: 'subnet-0aaa', zone: 'us-west-2-lax-1a', cidr: '172.31.96.0/24' };
    const wavelength = { id: 'subnet-0bbb', zone: 'us-west-2-wl1-den-wlz-1', cidr: '172.31.97.0/24' };
    const subnets = [local, wavelength, A];
    assert.deepEqual(await placementsIn({ subnets }, inVpc), [A.id]);
    assert.deepEqual(await placementsIn({ subnets }, { ...inVpc, subnet: local.id }), [local.id]);
    assert.deepEqual(await placementsIn({ subnets }, { ...inVpc, availabilityZone: local.zone }), [local.id]);
  });
});

describe('the image of slaves', () => {
  const image = (id: string, name: string, more: object = {}) => ({
    id,
    name,
    owner: DEFAULT_EC2_SETTINGS.accountId,
    createdAt: '2025-01-01T00:00:00.000Z',
    rootSnapshot: 'snap-0f00d1e5a7b3c9000',
    ...more,
  });
  const past = '2000-01-01T00:00:00.000Z';
  const NOW = Date.parse('2026-01-01T00:00:00.000Z');

  async function found(wanted: Partial<Site>, images: ReturnType<typeof image>[], owners = ['self']) {
    const { ec2, clock } = createWorld({ images });
    return await clock.run(findImage(ec2, { ...SITE, ...wanted }, owners, NOW));
  }

  it('of a name that no image has is the master’s own on EC2, with a warning', async () => {
    const { imageId, warning } = await found({ image: 'GBrowse-9', ownImage: 'ami-0a1' }, [
      image('ami-0a1', 'mine'),
    ]);
    assert.equal(imageId, 'ami-0a1');
    assert.match(warning ?? '', /whose name has "GBrowse-9".*this master's own AMI ami-0a1/);
    assert.match(
      await told(found({ image: 'GBrowse-9' }, [image('ami-0a1', 'mine')])),
      /no available AMI whose name has "GBrowse-9"/,
    );
  });

  it('is found by its name though its owner has deprecated it, with a warning', async () => {
    const public1 = image('ami-0b1', 'GBrowse', { owner: '999988887777', deprecatedAt: past });
    const { imageId, warning } = await found({ image: 'GBrowse' }, [public1], ['999988887777']);
    assert.equal(imageId, 'ami-0b1');
    assert.match(warning ?? '', /deprecated it on 2000-01-01/);
  });

  it('is rather an older one that is not deprecated', async () => {
    const newer = image('ami-0b1', 'GBrowse', { createdAt: '2025-06-01T00:00:00.000Z', deprecatedAt: past });
    const { imageId, warning } = await found({ image: 'GBrowse' }, [newer, image('ami-0b2', 'GBrowse')]);
    assert.deepEqual([imageId, warning], ['ami-0b2', undefined]);
  });

  it('with further data disks leaves none of them behind', async () => {
    const images = [image('ami-0c1', 'GBrowse', { dataDevices: { '/dev/sdb': 'snap-0fedcba9876543210' } })];
    const world = createWorld({ images });
    const ec2 = world.ec2;
    const slaveImage = await world.clock.run(findImage(ec2, { image: 'ami-0c1' }, ['self'], NOW));
    const data = templateData({ site: SITE, slave: SLAVE, image: slaveImage, securityGroupId: 'sg-1' });
    const { BlockDeviceMappings = [] } = data;
    assert.deepEqual(
      BlockDeviceMappings.map(it => it.DeviceName),
      ['/dev/xvda', '/dev/sdb', '/dev/sdg'],
    );
    const ids = await world.clock.run(world.launch(1, { ImageId: 'ami-0c1', BlockDeviceMappings }));
    await world.clock.runFor(60_000);
    await world.clock.run(ec2('TerminateInstances', { InstanceIds: ids }));
    await world.clock.runFor(60_000);
    assert.deepEqual((await world.clock.run(ec2('DescribeVolumes', {}))).Volumes, []);
  });
});

it('a root volume on io2, whose IOPS the image knows, is launched with its name alone', async () => {
  const described: Ec2 = async () => ({
    Images: [
      {
        ImageId: 'ami-0d1',
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [
          {
            DeviceName: '/dev/xvda',
            Ebs: { SnapshotId: 'snap-0d1', VolumeType: 'io2', Iops: 4000, VolumeSize: 20, Encrypted: false },
          },
        ],
      },
    ],
  });
  const found = await findImage(described, { image: 'ami-0d1' }, ['self']);
  const data = templateData({
    site: SITE,
    slave: { ...SLAVE, dataSnapshots: [] },
    image: found,
    securityGroupId: 'sg-1',
  });
  // With a volume type, EC2 would want the IOPS as well.
  assert.deepEqual(data.BlockDeviceMappings, [
    { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true } },
  ]);
});

describe('a security group that is given by its name', () => {
  it('is searched for in the VPC; none or several are the administrator’s errors', async () => {
    const { ec2, clock } = createWorld();
    const vpcId = DEFAULT_EC2_SETTINGS.vpcId;
    const { GroupId } = await clock.run(
      ec2('CreateSecurityGroup', { GroupName: 'GBrowse slaves', Description: 'x', VpcId: vpcId }),
    );
    assert.deepEqual(await clock.run(findGivenGroup(ec2, 'GBrowse slaves', vpcId)), {
      groupId: GroupId,
      vpcId,
    });
    assert.deepEqual(await clock.run(findGivenGroup(ec2, GroupId ?? '')), { groupId: GroupId, vpcId });
    assert.match(
      await clock.run(told(findGivenGroup(ec2, 'slaves'))),
      /no security group named "slaves" in this region/,
    );
    const two: Ec2 = async () => ({
      SecurityGroups: ['sg-1', 'sg-2'].map(it => ({ GroupId: it, VpcId: `vpc-${it}` })),
    });
    assert.match(
      await told(findGivenGroup(two, 'slaves')),
      /2 groups are named "slaves" \(sg-1 in vpc-sg-1, .*give the id/,
    );
  });
});

describe('tags', () => {
  it('of many ports are runs that are read back as the ports', () => {
    for (const ports of [
      [8101],
      [8101, 8102],
      [8101, 8102, 8103, 9000],
      Array.from({ length: 500 }, (_, i) => 8000 + i),
    ]) {
      assert.ok(portsTag(ports).length <= 256);
      assert.deepEqual(portsOfTag(portsTag(ports)), ports);
    }
    assert.equal(portsTag([8101, 8102]), '8101 8102');
    assert.deepEqual(portsOfTag('8101 x 0 9-1 70000'), [8101]);
  });

  it('of ports that fit no tag are refused with what to do', async () => {
    const odd = Array.from({ length: 60 }, (_, index) => 8001 + 2 * index);
    assert.match(await told((async () => portsTag(odd))()), /use consecutive ports/);
  });

  it('of many snapshots fit, and differ where the snapshots do', () => {
    const snapshots = Array.from({ length: 20 }, (_, index) => `snap-0123456789abcde${10 + index}`);
    assert.equal(dataTag(snapshots.slice(0, 11)), snapshots.slice(0, 11).join(' '));
    assert.ok(dataTag(snapshots).length <= 256);
    assert.notEqual(dataTag(snapshots), dataTag(snapshots.toReversed()));
  });
});

it('an instance that EC2 ended with Client.InternalError is said to lack its KMS key', () => {
  const instance = {
    InstanceId: 'i-1',
    State: { Name: 'terminated' as const },
    StateReason: { Code: 'Client.InternalError', Message: 'Client.InternalError: Client error on launch' },
  };
  assert.match(
    slaveOf(instance, undefined, 'public')?.reason ?? '',
    /Client error on launch: .*KMS key.*kms:CreateGrant/,
  );
});
