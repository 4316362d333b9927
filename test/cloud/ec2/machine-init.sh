#!/bin/sh
# Process 1 of a virtual machine that boots in a minute, without systemd and cloud-init: the initial RAM disk has mounted the
# root, /dev, /proc, /sys and /run. It starts udev and the network; the rest is as in a namespace. Files in /run/cloud.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mkdir -p /dev/pts /dev/shm /run/lock /run/sshd
mount -t devpts -o mode=620,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle
read -r name address router </run/cloud/network
card=$(ls /sys/class/net | grep -v '^lo$')
ip link set lo up
ip link set "$card" up
ip addr add "$address" dev "$card"
ip route add default via "$router"
hostname "$name"
printf '127.0.0.1 localhost\n%s %s\n' "${address%/*}" "$name" >/etc/hosts
: >/etc/resolv.conf
exec sh /run/cloud/init.sh
