import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../../src/clock.ts';
import { createWorld, refuses, SNAPSHOT } from './world.ts';

const DATA = '/dev/sdg';

/** An instance with a root volume that ends with it, and a data volume that does not. */
async function withData(settings: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld({ snapshotTime: MINUTE, ...settings });
  const [id = ''] = await world.launch(1, {
    BlockDeviceMappings: [{ DeviceName: DATA, Ebs: { SnapshotId: SNAPSHOT, VolumeType: 'gp3' } }],
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'master', Value: 'me' }] }],
  });
  await world.clock.runFor(MINUTE);
  return { ...world, id };
}

describe('volumes', () => {
  it('are in use while their instance exists; those that do not end with it are available then', async () => {
    const { ec2, id, clock } = await withData();
    const shown = async () => {
      const { Volumes = [] } = await ec2('DescribeVolumes', {
        Filters: [{ Name: 'tag:master', Values: ['me'] }],
      });
      return Volumes.map(it => [it.Attachments?.[0]?.Device, it.Size, it.VolumeType, it.State]);
    };
    assert.deepEqual(await shown(), [
      [DATA, 20, 'gp3', 'in-use'],
      ['/dev/xvda', 8, 'gp3', 'in-use'],
    ]);
    await ec2('TerminateInstances', { InstanceIds: [id] });
    await clock.runFor(19 * SECOND);
    assert.equal((await shown()).length, 2);
    await clock.runFor(SECOND);
    assert.deepEqual(await shown(), [[undefined, 20, 'gp3', 'available']]);
    await clock.runFor(180 * MINUTE);
    assert.equal((await shown()).length, 1, 'it outlives the memory of its instance');
  });

  it('can be deleted once they are free, and not twice', async () => {
    const { ec2, id, clock, account } = await withData();
    const [data] = account.volumes().filter(it => it.deviceName === DATA);
    const VolumeId = data?.id ?? '';
    await refuses(ec2('DeleteVolume', { VolumeId }), 'VolumeInUse');
    await ec2('TerminateInstances', { InstanceIds: [id] });
    await refuses(ec2('DeleteVolume', { VolumeId }), 'VolumeInUse');
    await clock.runFor(20 * SECOND);
    await ec2('DeleteVolume', { VolumeId });
    await refuses(ec2('DeleteVolume', { VolumeId }), 'InvalidVolume.NotFound');
    await refuses(ec2('DescribeVolumes', { VolumeIds: [VolumeId] }), 'InvalidVolume.NotFound');
    assert.deepEqual(account.volumes(), []);
    await clock.runFor(180 * MINUTE);
    assert.deepEqual(account.volumes(), []);
  });
});

describe('snapshots', () => {
  it('are taken of an instance’s volumes, are pending, then complete, and can be deleted', async () => {
    const { ec2, id, clock, launch } = await withData();
    const { Snapshots: taken = [] } = await ec2('CreateSnapshots', {
      InstanceSpecification: { InstanceId: id, ExcludeBootVolume: true },
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'master', Value: 'me' }] }],
    });
    assert.deepEqual(
      taken.map(it => [it.VolumeSize, it.State]),
      [[20, 'pending']],
    );
    const SnapshotId = taken[0]?.SnapshotId ?? '';
    const states = async (status: string) => {
      const { Snapshots } = await ec2('DescribeSnapshots', {
        OwnerIds: ['self'],
        Filters: [
          { Name: 'tag-key', Values: ['master'] },
          { Name: 'status', Values: [status] },
        ],
      });
      return Snapshots?.map(it => it.SnapshotId);
    };
    assert.deepEqual(await states('pending'), [SnapshotId]);
    const devices = [{ DeviceName: DATA, Ebs: { SnapshotId } }];
    assert.deepEqual(await launch(1, { BlockDeviceMappings: devices }), [], 'it is of no use yet');
    await clock.runFor(MINUTE);
    assert.deepEqual(await states('completed'), [SnapshotId]);
    assert.equal((await launch(1, { BlockDeviceMappings: devices })).length, 1);
    await ec2('DeleteSnapshot', { SnapshotId });
    await refuses(ec2('DeleteSnapshot', { SnapshotId }), 'InvalidSnapshot.NotFound');
  });

  it('that an image starts from, and other people’s, cannot be deleted', async () => {
    const { ec2 } = createWorld();
    const of = (SnapshotId: string) => ec2('DeleteSnapshot', { SnapshotId });
    await refuses(of('snap-0f00d1e5a7b3c9000'), 'InvalidSnapshot.InUse');
    await refuses(of('snap-0bad00c0ffee00bad'), 'AuthFailure');
    const { Snapshots = [] } = await ec2('DescribeSnapshots', { OwnerIds: ['self'] });
    assert.ok(!Snapshots.some(it => it.SnapshotId === 'snap-0bad00c0ffee00bad'));
  });
});

describe('key pairs', () => {
  it('are found by their tags', async () => {
    const { ec2, addKeyPair } = createWorld();
    const KeyPairId = addKeyPair('sync', { master: 'me' });
    const Filters = [{ Name: 'tag:master', Values: ['me'] }];
    const { KeyPairs = [] } = await ec2('DescribeKeyPairs', { Filters });
    assert.deepEqual(
      KeyPairs.map(it => [it.KeyName, it.KeyPairId]),
      [['sync', KeyPairId]],
    );
  });
});
