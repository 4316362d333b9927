import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import type { MasterMetadata } from '../../src/master/metadata.ts';
import { siteOf } from '../../src/master/site.ts';

const METADATA: MasterMetadata = {
  instanceId: 'i-0master',
  region: 'eu-west-1',
  availabilityZone: 'eu-west-1b',
  imageId: 'ami-master',
  privateAddress: '10.1.2.3',
  subnetId: 'subnet-0aaa',
  vpcId: 'vpc-0aaa',
};

function config(master = '', slave = '') {
  const text = `[LOAD TABLE]\n1 0 1\n[MASTER]\npoll_interval = 1\nserver_status_url = http://localhost/server-status\n${master}\n[SLAVE]\ninstance_type = m5.large\nspot_bid = 0.1\nregion = us-west-2\n${slave}\n`;
  const parsed = parseConfig('c', text);
  if (parsed.config === undefined) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
}

describe('on EC2', () => {
  it('region, zone, subnet and address are the master’s own, and the image where the file names none', () => {
    assert.deepEqual(siteOf(config(), METADATA, 'host'), {
      name: 'i-0master',
      region: 'eu-west-1',
      reach: 'private',
      image: 'ami-master',
      ownImage: 'ami-master',
      address: '10.1.2.3',
      vpc: 'vpc-0aaa',
      subnet: 'subnet-0aaa',
      availabilityZone: 'eu-west-1b',
    });
  });

  it('the image that the file names is used, and the master’s own is known where no image has the name', () => {
    const { image, ownImage } = siteOf(config('', 'image_id = GBrowse-2.54'), METADATA, 'host');
    assert.deepEqual([image, ownImage], ['GBrowse-2.54', 'ami-master']);
  });

  it('a machine whose user-data is that of a slave never runs a balancer', () => {
    assert.throws(() => siteOf(config(), { ...METADATA, isSlave: true }, 'host'), {
      message: /^this machine \(i-0master\) is itself a slave of a balancer/,
      exitStatus: 2,
    });
  });

  it('another zone of the file is obeyed, in the master’s VPC', () => {
    const site = siteOf(config('', 'availability_zone = eu-west-1c'), METADATA, 'host');
    assert.equal(site.availabilityZone, 'eu-west-1c');
    assert.equal(site.subnet, undefined);
    assert.equal(site.vpc, 'vpc-0aaa');
  });

  it('a subnet of the file is obeyed', () => {
    assert.equal(siteOf(config('', 'subnet = subnet-0bbb'), METADATA, 'host').subnet, 'subnet-0bbb');
  });
});

describe('elsewhere', () => {
  it('the file says, the name is the host’s, and slaves are reached by public addresses', () => {
    assert.deepEqual(
      siteOf(config('external_ip = 192.0.2.1', 'image_id = GBrowse-2.54'), undefined, 'host'),
      {
        name: 'host',
        region: 'us-west-2',
        reach: 'public',
        image: 'GBrowse-2.54',
        address: '192.0.2.1',
      },
    );
  });

  it('an image is required', () => {
    assert.throws(
      () => siteOf(config(), undefined, 'host'),
      /c: \[SLAVE\] image_id is not set.*"gbrowse-aws-balancer image" makes one/,
    );
  });

  it('no image is required by what launches no slave, and by what makes one', () => {
    assert.equal(siteOf(config(), undefined, 'host', { image: false }).image, '');
    assert.equal(siteOf(config(), METADATA, 'host', { image: false }).image, METADATA.imageId);
  });

  it('the file’s name for the master comes before any other', () => {
    const named = config('name = genome', 'image_id = x');
    assert.equal(siteOf(named, undefined, 'host').name, 'genome');
    assert.equal(siteOf(named, METADATA, 'host').name, 'genome');
  });
});
