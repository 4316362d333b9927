import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Image, Snapshot } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { findLeftovers } from '../../src/leftovers/find.ts';
import { leftoversAsText } from '../../src/leftovers/print.ts';
import { removeLeftovers } from '../../src/leftovers/remove.ts';
import { IMAGE_TAG, MASTER_TAG } from '../../src/spot/tags.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

const MASTER = 'web1';
const NOW = Date.parse('2026-01-02T00:00:00Z');

const tags = (run: string) => [
  { Key: MASTER_TAG, Value: MASTER },
  { Key: IMAGE_TAG, Value: run },
];

function image(run: string, state: 'available' | 'pending' | 'failed'): Image {
  return {
    ImageId: `ami-${run}`,
    Name: `GBrowse slave of ${MASTER} ${run}`,
    State: state,
    CreationDate: '2026-01-01T00:00:00.000Z',
    Tags: tags(run),
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: `snap-${run}` } }],
  };
}

function snapshot(run: string, state: 'completed' | 'pending'): Snapshot {
  return { SnapshotId: `snap-${run}`, State: state, VolumeSize: 8, Tags: tags(run) };
}

/** An account with images and snapshots of theirs alone; a snapshot cannot go while its image is there. */
function account(images: Image[], snapshots: Snapshot[]) {
  const removed: string[] = [];
  const ec2 = (async (action: string, request: { ImageId?: string; SnapshotId?: string }) => {
    if (action === 'DescribeImages')
      return { Images: images.filter(it => !removed.includes(it.ImageId ?? '')) };
    if (action === 'DescribeSnapshots') {
      return { Snapshots: snapshots.filter(it => !removed.includes(it.SnapshotId ?? '')) };
    }
    if (action === 'DeregisterImage') removed.push(request.ImageId ?? '');
    if (action === 'DeleteSnapshot') {
      const owner = images.find(it => it.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId === request.SnapshotId);
      if (owner !== undefined && !removed.includes(owner.ImageId ?? '')) {
        throw new Ec2Error(action, 'InvalidSnapshot.InUse', 'in use by an AMI', 400);
      }
      removed.push(request.SnapshotId ?? '');
    }
    return {};
  }) as Ec2;
  const find = () =>
    findLeftovers(ec2, { master: MASTER, host: 'web1', now: NOW, isLockHeld: async () => false });
  return { ec2, find, removed };
}

describe('images', () => {
  it('that are complete are kept, with their snapshots', async () => {
    const { find } = account([image('a', 'available')], [snapshot('a', 'completed')]);
    const found = await find();
    assert.deepEqual(found.masters[0]?.leftovers, []);
    assert.match(
      leftoversAsText(found, NOW),
      /kept: image ami-a is complete.*\n.*kept: snapshot snap-a belongs to an image/,
    );
  });

  it('that are not, and snapshots whose image is gone, are left over and removed: images first', async () => {
    const { ec2, find, removed } = account(
      [image('a', 'available'), image('b', 'pending'), image('c', 'failed')],
      [snapshot('a', 'completed'), snapshot('b', 'pending'), snapshot('d', 'completed')],
    );
    const { masters } = await find();
    const leftovers = masters[0]?.leftovers ?? [];
    assert.deepEqual(
      leftovers.map(it => it.id),
      ['ami-b', 'ami-c', 'snap-b', 'snap-d'],
    );
    const clock = createVirtualClock();
    await clock.run(
      removeLeftovers(ec2, leftovers, { clock, findAgain: find, onOutcome: () => {}, onWait: () => {} }),
    );
    assert.deepEqual(removed, ['ami-b', 'ami-c', 'snap-b', 'snap-d']);
  });
});
