import type { TreeSize } from './measure.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** What ext4 takes for itself: group descriptors, bitmaps, the journal. */
const OVERHEAD = 1.03;
const JOURNAL = 128 * MIB;
const INODE = 256;
/** Room to grow in, so that not every sync has to make the volume larger (EBS allows that once in six hours). */
const HEADROOM = 1.2;
/** mke2fs's own choice, and the least that makes sense with blocks of 4 KiB. */
const MOST_BYTES_PER_INODE = 16_384;
const LEAST_BYTES_PER_INODE = 4096;

/** What trees take on a volume: bytes with the file system's own share, and inodes. */
export type Need = { readonly bytes: number; readonly inodes: number };

/** What a file system has. */
type Room = Need;

/** What several trees need together. */
export function needOf(sizes: readonly Pick<TreeSize, 'allocated' | 'inodes'>[]): Need {
  const allocated = sizes.reduce((sum, it) => sum + it.allocated, 0);
  const inodes = sizes.reduce((sum, it) => sum + it.inodes, 0);
  return { bytes: Math.ceil((allocated + inodes * INODE) * OVERHEAD), inodes };
}

/** The size (GiB) of a new volume: what is needed, with headroom. */
export function newVolumeSize(need: Need): number {
  const forInodes = need.inodes * LEAST_BYTES_PER_INODE;
  return Math.max(1, Math.ceil((Math.max(need.bytes, forInodes) * HEADROOM + JOURNAL) / GIB));
}

/** For mke2fs: how many bytes of a new volume (GiB) have one inode, so that many small files have theirs. */
export function bytesPerInode(volumeSize: number, need: Need): number {
  const wanted = Math.floor((volumeSize * GIB) / (2 * Math.max(1, need.inodes)));
  return Math.min(MOST_BYTES_PER_INODE, Math.max(LEAST_BYTES_PER_INODE, wanted));
}

/**
 * The size (GiB) that a volume made from a snapshot must have, if it is smaller than what the data need. A volume never
 * shrinks.
 */
export function grownVolumeSize(size: number, need: Need): number {
  return isRoomy({ bytes: size * GIB, inodes: Number.POSITIVE_INFINITY }, need)
    ? size
    : Math.max(size + 1, newVolumeSize(need));
}

/** Whether data fit onto a file system, with a twentieth of it to spare. */
export function isRoomy(room: Room, need: Need): boolean {
  return need.bytes + JOURNAL <= room.bytes * 0.95 && need.inodes <= room.inodes;
}

/** How much larger (GiB) a file system must become to hold what is needed; its inodes grow with it. */
export function growth(room: Room, need: Need): number {
  if (isRoomy(room, need)) return 0;
  const byBytes = need.bytes * HEADROOM + JOURNAL - room.bytes;
  const byInodes = ((need.inodes * HEADROOM - room.inodes) * room.bytes) / Math.max(1, room.inodes);
  return Math.max(1, Math.ceil(Math.max(byBytes, byInodes) / GIB));
}
