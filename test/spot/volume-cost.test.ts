import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { volumesPerHour } from '../../src/spot/list-prices.ts';
import { createVolumeCost } from '../../src/spot/volume-cost.ts';

describe('the price of volumes an hour', () => {
  for (const [what, volumes, region, perHour] of [
    ['no volume', [], 'us-east-1', 0],
    ['730 GiB gp3', [{ size: 730, type: 'gp3' }], 'us-east-1', 0.08],
    ['730 GiB gp3 where the region is not known', [{ size: 730, type: 'gp3' }], undefined, 0.08],
    ['730 GiB gp3 in a dearer region', [{ size: 730, type: 'gp3' }], 'eu-central-1', 0.12],
    ['730 GiB gp2', [{ size: 730, type: 'gp2' }], 'us-west-2', 0.1],
    ['730 GiB of another type, at the dearest price', [{ size: 730, type: 'st1' }], 'us-west-2', 0.125],
    [
      'two volumes',
      [
        { size: 365, type: 'gp3' },
        { size: 730, type: 'gp2' },
      ],
      'us-west-2',
      0.14,
    ],
  ] as const)
    it(`of ${what}`, () => assert.ok(Math.abs(volumesPerHour(volumes, region) - perHour) < 1e-9));
});

describe('what the volumes of a slave cost', () => {
  const IMAGE = {
    imageId: 'ami-1',
    rootDevice: '/dev/xvda',
    devices: ['/dev/xvda', '/dev/sdb', '/dev/sdg'],
    volumes: {
      '/dev/xvda': { size: 73, type: 'gp3' },
      '/dev/sdb': { size: 73, type: 'gp2' },
      '/dev/sdg': { size: 7300, type: 'gp2' },
    },
  };
  const perHourOf = (cost: object) => Number('perHour' in cost && Number(cost.perHour).toFixed(6));
  /** EC2 with snapshots of these sizes, GiB. */
  function ec2Of(sizes: Readonly<Record<string, number>>, asked: unknown[] = []): Ec2 {
    return (async (action: string, request: { SnapshotIds?: readonly string[] }) => {
      asked.push(request.SnapshotIds);
      const Snapshots = (request.SnapshotIds ?? []).map(SnapshotId => {
        const VolumeSize = sizes[SnapshotId];
        if (VolumeSize === undefined) throw new Ec2Error(action, 'UnauthorizedOperation', 'You may not');
        return { SnapshotId, State: 'completed', VolumeSize };
      });
      return { Snapshots };
    }) as Ec2;
  }

  it('is that of the image, and of each data snapshot in the place of what the image has there', async () => {
    const asked: unknown[] = [];
    const volumeCost = createVolumeCost(ec2Of({ 'snap-1': 730, 'snap-2': 1460 }, asked));
    assert.equal(perHourOf(await volumeCost(IMAGE, [], 'us-east-1')), 0.008 + 0.01 + 1);
    assert.equal(perHourOf(await volumeCost(IMAGE, ['snap-1', 'snap-2'], 'us-east-1')), 0.258);
    assert.equal(perHourOf(await volumeCost(IMAGE, ['snap-1', 'snap-2'], 'eu-west-1')), 0.387);
    assert.deepEqual(asked, [['snap-1', 'snap-2']]);
  });

  it('is not known, and why, where EC2 does not say a size', async () => {
    const denied = await createVolumeCost(ec2Of({}))(IMAGE, ['snap-1'], undefined);
    assert.match('unknown' in denied ? denied.unknown : '', /DescribeSnapshots/);
    const { volumes: _, ...unsized } = IMAGE;
    const image = await createVolumeCost(ec2Of({}))(unsized, [], undefined);
    assert.match('unknown' in image ? image.unknown : '', /the size of \/dev\/xvda/);
  });
});
