import { MANIFEST } from '../../spot/user-data.ts';
import { PLACES } from '../plan/trees.ts';
import type { DataVolume } from './volumes.ts';

/** The label of the file systems that we make. */
export const LABEL = 'gbrowse-data';

/** Where the staging machine mounts plain data volumes, one directory a volume. */
const MOUNTS = '/srv/gbrowse-sync';

/**
 * Shell functions for the staging machine, as root. Volumes are found by their id: Nitro types show it in the device's
 * serial number, Xen types keep the mapping's letter. Old GBrowse images have their data in the logical volume
 * "gbrowse" of the volume group "volumes", on /opt/gbrowse; else each volume has a plain file system. Only a volume
 * that EC2 has just created empty is ever formatted.
 */
const FUNCTIONS = `
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
fail() { echo "$*" >&2; exit 1; }
find_device() { # VOLUME-ID DEVICE
  id=$(echo "$1" | tr -d -)
  link=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$id
  [ -b "$link" ] && readlink -f "$link" && return
  for serial in /sys/block/nvme*/device/serial; do
    [ -r "$serial" ] && [ "$(tr -d ' ' < "$serial")" = "$id" ] || continue
    block=\${serial#/sys/block/}
    echo "/dev/\${block%%/*}"
    return
  done
  for name in "$2" "/dev/xvd\${2#/dev/sd}"; do
    [ -b "$name" ] && readlink -f "$name" && return
  done
  return 1
}
await_device() { # VOLUME-ID DEVICE
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    find_device "$1" "$2" && return
    sleep 1
  done
  fail "no block device of this machine is the volume $1 ($2)"
}
kind_of() { blkid -p -o value -s TYPE "$1"; } # DEVICE
is_empty() { # DEVICE
  blkid -p "$1" >/dev/null 2>&1
  [ $? = 2 ] && [ "$(head -c 1048576 "$1" | tr -d '\\000' | wc -c)" = 0 ]
}
grow_filesystem() { # DEVICE POINT
  case $(kind_of "$1") in
    ext?)
      resize2fs "$1" >/dev/null 2>&1 && return
      # Some kernels refuse it while it is mounted.
      umount "$2" && { e2fsck -fp "$1" >/dev/null; [ $? -le 2 ]; } && resize2fs "$1" >/dev/null && mount -o noatime "$1" "$2" ;;
    xfs) xfs_growfs "$2" >/dev/null ;;
    btrfs) btrfs filesystem resize max "$2" >/dev/null ;;
  esac || fail "the file system of $1 does not grow"
}
grow_lvm() {
  for pv in $(pvs --noheadings -o pv_name -S vg_name=volumes); do pvresize -q "$pv" >/dev/null || fail "pvresize $pv"; done
  free=$(vgs --noheadings -o vg_free_count volumes | tr -d ' ')
  [ "\${free:-0}" = 0 ] || lvextend -q -l +100%FREE /dev/volumes/gbrowse >/dev/null || fail "lvextend /dev/volumes/gbrowse"
  grow_filesystem /dev/volumes/gbrowse /opt/gbrowse
}
report() { # POINT: its room, and its manifest or what the places of trees hold
  room "$1"
  if [ -f "$1/${MANIFEST}" ]; then
    sed 's/^/manifest /' "$1/${MANIFEST}"
  else
    for place in ${Object.values(PLACES).join(' ')}; do
      [ ! -d "$1/$place" ] || echo "holds $(du -sk "$1/$place" | cut -f1) $(find "$1/$place" | wc -l)"
    done
  fi
}
room() { # POINT: bytes, bytes used, inodes, inodes used
  blocks=$(df -Pk "$1" | awk 'END { printf "%.0f %.0f", $2 * 1024, $3 * 1024 }')
  inodes=$(df -Pi "$1" | awk 'END { printf "%.0f %.0f", $2, $3 }')
  echo "room $blocks $inodes"
}
`;

/** A data root, as a prepared staging machine reports it. */
export type DataRoot = {
  readonly kind: 'lvm' | 'plain';
  readonly point: string;
  /** The block device under it; unset for LVM. */
  readonly device?: string;
  /** The volumes that it lies on. */
  readonly volumes: readonly DataVolume[];
  /** Bytes and inodes, all and used. */
  readonly size: number;
  readonly used: number;
  readonly inodes: number;
  readonly inodesUsed: number;
  /** The manifest that was found there; where there is none, what lies in the places of trees. */
  readonly manifest: string;
  readonly held: number;
  readonly heldInodes: number;
};

/** Mounts the data volumes and reports what they hold. */
export function prepareScript(volumes: readonly DataVolume[], inodeRatio: number): string {
  const each = volumes.map(
    ({ volumeId, device, isNew }, index) => `prepare ${index} ${volumeId} ${device} ${isNew ? 'new' : 'old'}`,
  );
  return `${FUNCTIONS}
command -v rsync >/dev/null || {
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install rsync || yum -q -y install rsync
} >/dev/null 2>&1
command -v rsync >/dev/null || fail "the image has no rsync and it cannot be installed; make an image that has it"
echo "rsync $(rsync --version | head -n 1)"
LVM=
prepare() { # INDEX VOLUME-ID DEVICE new|old
  device=$(await_device "$2" "$3") || exit 1
  kind=$(kind_of "$device")
  case $kind in
    LVM2_member) LVM=1; return ;;
    ext?|xfs|btrfs) ;;
    '')
      [ "$4" = new ] || fail "$2 was made from a snapshot but has no file system that could be used (a partition table?); take its snapshot out of [SLAVE] data_snapshots"
      is_empty "$device" || fail "$2 ($device) is not empty, so it is not formatted"
      # A new EBS volume is all zeros, so nothing need be written into its inode tables; older mke2fs do not know that.
      mkfs.ext4 -q -L ${LABEL} -m 0 -i ${inodeRatio} -E nodiscard,assume_storage_prezeroed=1 "$device" 2>/dev/null ||
        mkfs.ext4 -q -L ${LABEL} -m 0 -i ${inodeRatio} -E nodiscard "$device" || fail "mkfs.ext4 $device" ;;
    *) fail "$2 holds $kind, which sync cannot use; take its snapshot out of [SLAVE] data_snapshots" ;;
  esac
  point=${MOUNTS}/$1
  mkdir -p "$point"
  mount -o noatime "$device" "$point" || fail "mount $device"
  [ "$4" = new ] || grow_filesystem "$device" "$point"
  echo "root plain $1 $device $point"
  report "$point"
}
${each.join('\n')}
if [ -n "$LVM" ]; then
  command -v vgchange >/dev/null || fail "the data snapshots are of LVM, which the image does not have"
  vgchange -q -ay volumes >/dev/null && [ -b /dev/volumes/gbrowse ] || fail "the data snapshots are of LVM but have no volume group \\"volumes\\" with a logical volume \\"gbrowse\\""
  mkdir -p /opt/gbrowse
  mountpoint -q /opt/gbrowse || mount -o noatime /dev/volumes/gbrowse /opt/gbrowse || fail "mount /dev/volumes/gbrowse"
  grow_lvm
  echo "root lvm - - /opt/gbrowse"
  report /opt/gbrowse
fi
`;
}

/** Lets a file system use the room of volumes that have become larger. */
export function growScript(root: DataRoot): string {
  const grow = root.kind === 'lvm' ? 'grow_lvm' : `grow_filesystem ${root.device} ${root.point}`;
  return `${FUNCTIONS}${grow}\nroom ${root.point}\n`;
}

/**
 * Writes everything out and unmounts the volumes, so that they do not change. A file system that the image's own programs
 * use cannot be unmounted, and is frozen instead.
 */
export function sealScript(roots: readonly DataRoot[]): string {
  const each = roots.map(
    ({ point }) => `umount ${point} 2>/dev/null || fsfreeze -f ${point} || fail "fsfreeze ${point}"`,
  );
  return `${FUNCTIONS}cd /\nsync\n${each.join('\n')}\nsync\n`;
}

/** Reads the output of `prepareScript`. */
export function parsePrepared(
  output: string,
  volumes: readonly DataVolume[],
): { readonly roots: readonly DataRoot[]; readonly rsync: string } {
  const roots: { -readonly [K in keyof DataRoot]: DataRoot[K] }[] = [];
  let rsync = '';
  for (const line of output.split('\n')) {
    const [word, ...rest] = line.split(' ');
    const last = roots.at(-1);
    if (word === 'rsync') rsync = /version v?(\d+\.\d+\.\d+)/.exec(line)?.[1] ?? '';
    else if (word === 'root') {
      const [kind, index, device = '', point = ''] = rest;
      const plain = roots.flatMap(it => it.volumes);
      const own =
        kind === 'lvm' ? volumes.filter(it => !plain.includes(it)) : volumes.slice(Number(index)).slice(0, 1);
      roots.push({
        ...(kind === 'lvm' ? { kind: 'lvm' } : { kind: 'plain', device }),
        point,
        volumes: own,
        ...NO_ROOM,
        manifest: '',
      });
    } else if (word === 'room' && last !== undefined) Object.assign(last, parseRoom(line));
    else if (word === 'holds' && last !== undefined) {
      last.held += Number(rest[0]) * 1024;
      last.heldInodes += Number(rest[1]);
    } else if (word === 'manifest' && last !== undefined) last.manifest += `${rest.join(' ')}\n`;
  }
  return { roots, rsync };
}

const NO_ROOM = { size: 0, used: 0, inodes: 0, inodesUsed: 0, held: 0, heldInodes: 0 };

/** The line of `room`; no inodes stands for a file system that makes them as needed. */
export function parseRoom(output: string): Pick<DataRoot, 'size' | 'used' | 'inodes' | 'inodesUsed'> {
  const line = output.split('\n').find(it => it.startsWith('room ')) ?? '';
  const [size = 0, used = 0, inodes = 0, inodesUsed = 0] = line.split(' ').slice(1).map(Number);
  return { size, used, inodes: inodes === 0 ? Number.POSITIVE_INFINITY : inodes, inodesUsed };
}
