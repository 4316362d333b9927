#!/bin/sh
# The hypervisor for an instance that boots a Debian system of its own: systemd is its process 1, and cloud-init reads its
# metadata. Root volume: an overlay on the image, whose upper half stays when the instance is stopped.
#
#   boot-systemd.sh DIRECTORY HOSTNAME IMAGE DISK     DIRECTORY/seed: the instance's files
set -e
directory=$1 name=$2 image=$3 disk=$4
mount --make-rprivate /
mkdir -p "$directory/root" "$disk/upper" "$disk/work"
cd "$directory"
mount -t overlay -o "lowerdir=$image,upperdir=$disk/upper,workdir=$disk/work" overlay root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=755 tmpfs sys
mkdir "$directory/sysfs"
mount -t sysfs -o ro sysfs "$directory/sysfs"
for entry in "$directory"/sysfs/*; do
  mkdir "sys/${entry##*/}"
  mount --bind "$entry" "sys/${entry##*/}"
done
umount "$directory/sysfs"
rmdir "$directory/sysfs"
mount -t cgroup2 cgroup2 sys/fs/cgroup
# What tells cloud-init that this is EC2, so that it asks for a token of the metadata service first. (EC2 User Guide,
# "Identify EC2 instances")
[ -d sys/hypervisor ] && mount -t tmpfs tmpfs sys/hypervisor || mkdir sys/hypervisor
echo ec2e1916-9099-7caf-fd21-012345abcdef >sys/hypervisor/uuid
# udevd does not run where /sys cannot be written: it would hear of this machine's devices.
mount -o remount,ro sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755,size=4m tmpfs dev
mkdir -p dev/pts dev/shm dev/disk/by-id run/lock run/cloud
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- $node
  mknod -m 666 "dev/$1" c "$2" "$3"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 0 1 2; do ln -s "fd/$number" "dev/$(echo in out err | cut -d' ' -f$((number + 1)) | sed 's/^/std/')"; done

cp "$directory"/seed/* run/cloud/
hostname "$name"
echo "$name" >etc/hostname
printf '127.0.0.1 localhost\n%s %s\n' "$(cat run/cloud/address)" "$name" >etc/hosts
# Nobody answers for names here: asking 127.0.0.1 fails at once.
rm -f etc/resolv.conf
: >etc/resolv.conf
# The network is up already, and there is no DHCP server: cloud-init would wait a minute for one.
rm -f usr/sbin/dhclient
printf '#!/bin/sh\nexit 1\n' >usr/sbin/dhclient
chmod 755 usr/sbin/dhclient
# In a container the data source has to be named.
mkdir -p etc/cloud/cloud.cfg.d
cat >etc/cloud/cloud.cfg.d/99_cloud.cfg <<'END'
datasource_list: [ Ec2 ]
network: { config: disabled }
locale: false
END
# lsblk has the file systems from udev, which does not run in a namespace.
cat >usr/local/bin/lsblk <<'END'
#!/bin/sh
mkdir -p /run/udev/data
for device in /dev/loop*; do
  [ -b "$device" ] || continue
  blkid -p -o udev "$device" 2>/dev/null | sed 's/^/E:/' >"/run/udev/data/b$(stat -c %Hr:%Lr "$device")"
done
exec /usr/bin/lsblk "$@"
END
chmod 755 usr/local/bin/lsblk
mkdir run/cloud/outside
pivot_root . run/cloud/outside
: >"run/cloud/outside$directory/up"
exec chroot . /bin/sh -c '
  umount -l /run/cloud/outside && rmdir /run/cloud/outside
  # Its disks are attached from outside.
  while [ ! -e /run/cloud/go ]; do sleep 0.02; done
  exec /lib/systemd/systemd'
