import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SlaveConfig } from '../../src/config/config.ts';
import { type TemplateSource, templateData, templateName } from '../../src/spot/launch-template.ts';

const SLAVE: SlaveConfig = {
  instanceTypes: ['m5.large'],
  spotBid: 0.1,
  ports: [8101, 8102],
  imageOwners: ['self'],
  dataSnapshots: ['snap-1', 'snap-2'],
  bootTimeout: 600_000,
  orphanTimeout: 3_600_000,
  sshUser: 'admin',
  onDemand: 0,
};

const SOURCE: TemplateSource = {
  site: { name: 'a master', reach: 'private', image: 'GBrowse' },
  slave: SLAVE,
  image: {
    imageId: 'ami-1',
    rootDevice: '/dev/xvda',
    devices: ['/dev/xvda', '/dev/sdb', '/dev/sdg'],
  },
  securityGroupId: 'sg-1',
};

describe('the launch template of slaves', () => {
  it('names the image’s devices and no more of them than their names, and the data from /dev/sdg on; all end with the instance', () => {
    assert.deepEqual(
      templateData(SOURCE).BlockDeviceMappings?.map(it => [
        it.DeviceName,
        it.Ebs?.SnapshotId,
        it.Ebs?.DeleteOnTermination,
      ]),
      [
        ['/dev/xvda', undefined, true],
        ['/dev/sdb', undefined, true],
        ['/dev/sdg', 'snap-1', true],
        ['/dev/sdh', 'snap-2', true],
      ],
    );
  });

  it('has no devices where there are none to name', () => {
    const slave = { ...SLAVE, dataSnapshots: [] };
    assert.deepEqual(
      templateData({ ...SOURCE, slave, image: { imageId: 'ami-1', devices: [] } }).BlockDeviceMappings,
      [],
    );
  });

  it('requires IMDSv2, and ends an instance that shuts itself down', () => {
    const data = templateData(SOURCE);
    assert.equal(data.MetadataOptions?.HttpTokens, 'required');
    assert.equal(data.InstanceInitiatedShutdownBehavior, 'terminate');
  });

  it('tags instance, volumes, interface and spot request from birth', () => {
    const specifications = templateData(SOURCE).TagSpecifications ?? [];
    assert.deepEqual(
      specifications.map(it => it.ResourceType),
      ['instance', 'volume', 'network-interface', 'spot-instances-request'],
    );
    for (const { Tags = [] } of specifications) {
      assert.deepEqual(Object.fromEntries(Tags.map(tag => [tag.Key, tag.Value])), {
        Name: 'GBrowse Slave',
        Requestor: 'GBrowse AWS Balancer',
        'gbrowse-aws-balancer:master': 'a master',
        'gbrowse-aws-balancer:ports': '8101 8102',
        'gbrowse-aws-balancer:data': 'snap-1 snap-2',
      });
    }
  });

  it('is the same on demand, but for the tags of a spot request, with which EC2 launches nothing on demand', () => {
    const { TagSpecifications: spot = [], ...rest } = templateData(SOURCE);
    const { TagSpecifications: bought = [], ...others } = templateData({ ...SOURCE, onDemand: true });
    assert.deepEqual(others, rest);
    assert.deepEqual(
      bought,
      spot.filter(it => it.ResourceType !== 'spot-instances-request'),
    );
  });

  it('asks for a public address only where the master is outside EC2', () => {
    const inside = templateData(SOURCE);
    assert.deepEqual([inside.SecurityGroupIds, inside.NetworkInterfaces], [['sg-1'], undefined]);
    const outside = templateData({ ...SOURCE, site: { ...SOURCE.site, reach: 'public' } });
    assert.equal(outside.SecurityGroupIds, undefined);
    assert.deepEqual(outside.NetworkInterfaces, [
      { DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: ['sg-1'] },
    ]);
  });

  it('names a key only when there is one for the slaves', () => {
    assert.equal(templateData(SOURCE).KeyName, undefined);
    assert.equal(templateData({ ...SOURCE, slave: { ...SLAVE, sshKey: 'gbrowse' } }).KeyName, 'gbrowse');
  });

  it('starts the slaves on their ports', () => {
    const script = Buffer.from(templateData(SOURCE).UserData ?? '', 'base64').toString();
    assert.match(script, /^#cloud-boothook\n#!\/bin\/sh\n/);
    assert.match(script, /PORTS='8101 8102'/);
  });
});

describe('the name of a launch template', () => {
  it('is the same for the same data, and another for any other data or master', () => {
    const name = templateName('a master', templateData(SOURCE));
    assert.equal(templateName('a master', templateData({ ...SOURCE })), name);
    const others = [
      templateName('another', templateData(SOURCE)),
      templateName('a master', templateData({ ...SOURCE, slave: { ...SLAVE, sshKey: 'gbrowse' } })),
      templateName('a master', templateData({ ...SOURCE, securityGroupId: 'sg-2' })),
      templateName('a master', templateData({ ...SOURCE, slave: { ...SLAVE, ports: [8101] } })),
    ];
    assert.equal(new Set([name, ...others]).size, 5);
  });

  it('is one that AWS takes, whatever the master is called', () => {
    for (const master of ['i-0123', 'gbrowse.example.org', 'Äpfel & Birnen/…', 'x'.repeat(300), '']) {
      const name = templateName(master, templateData(SOURCE));
      assert.match(name, /^[a-zA-Z0-9().\-/_]{3,128}$/);
    }
  });
});
