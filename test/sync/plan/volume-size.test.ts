import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  bytesPerInode,
  grownVolumeSize,
  growth,
  isRoomy,
  type Need,
  needOf,
  newVolumeSize,
} from '../../../src/sync/plan/volume-size.ts';
import { stagingDevices } from '../../../src/sync/volumes/volumes.ts';

const GIB = 1024 ** 3;
const need: fc.Arbitrary<Need> = fc.record({
  bytes: fc.integer({ min: 0, max: 4000 * GIB }),
  inodes: fc.integer({ min: 1, max: 100_000_000 }),
});

/** What ext4 offers of a volume: 256 bytes for each inode, and a fiftieth at most besides. */
function ext4(size: number, ratio: number): Need {
  const inodes = Math.floor((size * GIB) / ratio);
  return { bytes: size * GIB * 0.98 - inodes * 256 - 64 * 1024 ** 2, inodes };
}

describe('the size of the volume', () => {
  test('a new volume has room for the data, blocks and inodes', () => {
    fc.assert(
      fc.property(need, it => {
        const size = newVolumeSize(it);
        const { bytes, inodes } = ext4(size, bytesPerInode(size, it));
        assert.ok(it.bytes <= bytes, `${it.bytes} bytes on ${bytes}`);
        assert.ok(it.inodes <= inodes, `${it.inodes} inodes on ${inodes}`);
      }),
    );
  });

  test('one from a snapshot never shrinks, and holds what is needed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), need, (size, it) => {
        const grown = grownVolumeSize(size, it);
        assert.ok(grown >= size);
        assert.ok(it.bytes <= grown * GIB * 0.95);
      }),
    );
  });

  test('one that is large enough stays as it is', () => {
    assert.equal(grownVolumeSize(10, { bytes: 9 * GIB, inodes: 1000 }), 10);
    assert.equal(grownVolumeSize(10, { bytes: 9.5 * GIB, inodes: 1000 }), 12);
  });

  test('a file system that has grown as it should has room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), need, (size, it) => {
        const room = ext4(size, 16_384);
        const more = growth(room, it);
        assert.equal(more === 0, isRoomy(room, it));
        const larger = { bytes: room.bytes + more * GIB * 0.97, inodes: room.inodes + more * 65_536 };
        assert.ok(isRoomy(larger, it), `${JSON.stringify(it)} on ${JSON.stringify(larger)}`);
      }),
    );
  });

  test('a million tiny files get their inodes', () => {
    const it = needOf([{ allocated: 1_000_000 * 4096, inodes: 1_000_000 }]);
    const size = newVolumeSize(it);
    assert.equal(size, 6);
    assert.ok((size * GIB) / bytesPerInode(size, it) > 1_500_000);
  });
});

test('every volume of the staging instance ends with it, those of the image too', () => {
  const devices = stagingDevices(
    ['/dev/xvda', '/dev/sdg', '/dev/sdz'],
    [{ size: 5, snapshotId: 'snap-1' }, { size: 7 }],
  );
  assert.deepEqual(
    devices.map(it => it.DeviceName),
    ['/dev/xvda', '/dev/sdz', '/dev/sdg', '/dev/sdh'],
  );
  assert.ok(devices.every(it => it.Ebs?.DeleteOnTermination === true));
  assert.equal(devices.find(it => it.DeviceName === '/dev/sdg')?.Ebs?.SnapshotId, 'snap-1');
});
