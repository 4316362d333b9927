#!/bin/sh
# The hypervisor: makes the root filesystem of an instance and starts its process 1. It runs as root in fresh mount,
# process, host-name and IPC namespaces, inside of the instance's network namespace; all that it mounts goes with them.
#
#   boot.sh DIRECTORY HOSTNAME "HIDDEN..."     DIRECTORY/seed: the instance's files; HIDDEN: directories shown empty
set -e
directory=$1 name=$2 hidden=$3
mount --make-rprivate /
cd "$directory"
mkdir disk root
mount -t tmpfs -o mode=755,size=4g tmpfs disk
mkdir disk/upper disk/work
mount -t overlay -o "lowerdir=/,upperdir=disk/upper,workdir=disk/work" overlay root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755,size=4m tmpfs dev
mkdir -p dev/pts dev/shm dev/disk/by-id run/lock run/sshd run/cloud
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- $node
  mknod -m 666 "dev/$1" c "$2" "$3"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 0 1 2; do ln -s "fd/$number" "dev/$(echo in out err | cut -d' ' -f$((number + 1)) | sed 's/^/std/')"; done

# What is this machine's own is not the image's.
for entry in *; do
  case $entry in
    bin | boot | dev | etc | lib* | opt | proc | run | sbin | sys | tmp | usr | var) ;;
    *) if [ -d "$entry" ] && [ ! -L "$entry" ]; then mount -t tmpfs -o mode=755 tmpfs "$entry"; fi ;;
  esac
done
for entry in $hidden; do
  if [ -d ".$entry" ]; then mount -t tmpfs -o mode=755 tmpfs ".$entry"; fi
done

cp "$directory"/seed/* "$HERE/init.sh" run/cloud/
hostname "$name"
echo "$name" >etc/hostname
printf '127.0.0.1 localhost\n%s %s\n' "$(cat run/cloud/address)" "$name" >etc/hosts
mkdir run/cloud/outside
pivot_root . run/cloud/outside
: >"run/cloud/outside$directory/up"
exec chroot . /bin/sh /run/cloud/init.sh
