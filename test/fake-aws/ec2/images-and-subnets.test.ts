import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeImagesRequest, DescribeSubnetsRequest } from '@aws-sdk/client-ec2';
import { createWorld, IMAGE, refuses, SUBNETS, ZONE_B } from './world.ts';

const STRANGER = 'ami-0bad00c0ffee00bad';
const named = (value: string) => [{ Name: 'name', Values: [value] }];

test("a name alone also finds the stranger's image of that name", async () => {
  const table: [DescribeImagesRequest, string[]][] = [
    [{ Filters: named('GBrowse-2.54') }, [IMAGE, STRANGER]],
    [{ Filters: named('GBrowse-2.54'), Owners: ['self'] }, [IMAGE]],
    [{ Filters: named('*2.5*'), Owners: ['self'] }, [IMAGE]],
    [{ Filters: named('gbrowse*'), Owners: ['self'] }, []],
    [{ Filters: named('GBrowse*'), Owners: ['999988887777', 'self'] }, [IMAGE, STRANGER]],
    [{ Owners: ['amazon'] }, ['ami-0deb1a12000000000']],
    [{ ImageIds: [IMAGE] }, [IMAGE]],
  ];
  const { ec2 } = createWorld();
  for (const [request, expected] of table) {
    const { Images } = await ec2('DescribeImages', request);
    assert.deepEqual(
      Images?.map(it => it.ImageId),
      expected,
      JSON.stringify(request),
    );
  }
  await refuses(ec2('DescribeImages', { ImageIds: ['ami-0123'] }), 'InvalidAMIID.NotFound');
  await refuses(ec2('DescribeImages', { ImageIds: ['GBrowse-2.54'] }), 'InvalidAMIID.Malformed');
});

test('an image says what its root volume is', async () => {
  const { ec2 } = createWorld();
  const { Images } = await ec2('DescribeImages', { ImageIds: [IMAGE] });
  const [mapping] = Images?.[0]?.BlockDeviceMappings ?? [];
  assert.equal(mapping?.DeviceName, Images?.[0]?.RootDeviceName);
  assert.equal(mapping?.Ebs?.VolumeSize, 8);
});

test('the default VPC has a subnet in each of three zones', async () => {
  const table: [DescribeSubnetsRequest, readonly string[]][] = [
    [{ Filters: [{ Name: 'default-for-az', Values: ['true'] }] }, SUBNETS],
    [{ Filters: [{ Name: 'availability-zone', Values: [ZONE_B ?? ''] }] }, SUBNETS.slice(1, 2)],
    [{ SubnetIds: SUBNETS.slice(2), Filters: [{ Name: 'state', Values: ['available'] }] }, SUBNETS.slice(2)],
    [{ Filters: [{ Name: 'vpc-id', Values: ['vpc-none'] }] }, []],
  ];
  const { ec2 } = createWorld();
  for (const [request, expected] of table) {
    const { Subnets } = await ec2('DescribeSubnets', request);
    assert.deepEqual(
      Subnets?.map(it => it.SubnetId),
      expected,
    );
  }
  await refuses(ec2('DescribeSubnets', { SubnetIds: ['subnet-0'] }), 'InvalidSubnetID.NotFound');
});

test('a subnet says how many addresses it has left', async () => {
  const { ec2, launch } = createWorld();
  const left = async () => (await ec2('DescribeSubnets', {})).Subnets?.map(it => it.AvailableIpAddressCount);
  assert.deepEqual(await left(), [4091, 4091, 4091]);
  await launch(2);
  assert.deepEqual(await left(), [4089, 4091, 4091]);
});
