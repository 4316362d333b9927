#!/bin/sh
# Runs a command in a root that has qemu, with directories of this machine at their own places; in a mount namespace of its
# own.
#
#   in-emulator.sh ROOT DIRECTORY IMAGES COMMAND [ARGUMENT...]
set -e
root=$1 directory=$2 images=$3
shift 3
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
for shown in /dev /proc "$directory" "$images"; do
  mkdir -p "/mnt/root$shown"
  mount --rbind "$shown" "/mnt/root$shown"
done
exec chroot /mnt/root "$@"
