#!/bin/sh
# Process 1 of an instance: what cloud-init and sshd do in a Debian image. It ends, and so does the instance, by TERM.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root LANG=C.UTF-8
export PATH HOME LANG
seed=/run/cloud
[ ! -d $seed/outside ] || { umount -l $seed/outside && rmdir $seed/outside; }

power_off() {
  kill -TERM -1 2>/dev/null
  sleep 0.2
  # A virtual machine's kernel does not let process 1 end.
  [ ! -e $seed/network ] || { sync; echo o >/proc/sysrq-trigger; sleep 60; }
  exit 0
}
trap power_off TERM INT

# A service is started as its script in /etc/init.d says; images have systemd for that, and users write `systemctl`.
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
case $1 in
  start | stop | restart | reload | status) exec service "${2%.service}" "$1" ;;
  poweroff | halt) exec kill -TERM 1 ;;
  *) exit 0 ;;
esac
END
printf '#!/bin/sh\nexec kill -TERM 1\n' >/usr/local/sbin/poweroff
cp /usr/local/sbin/poweroff /usr/local/sbin/shutdown
# lsblk has the filesystems from udev, which a namespace does not have.
[ -e /run/udev/control ] || cat >/usr/local/bin/lsblk <<'END'
#!/bin/sh
mkdir -p /run/udev/data
for device in /dev/loop*; do
  [ -b "$device" ] || continue
  blkid -p -o udev "$device" 2>/dev/null | sed 's/^/E:/' >"/run/udev/data/b$(stat -c %Hr:%Lr "$device")"
done
exec /usr/bin/lsblk "$@"
END
[ ! -e /usr/local/bin/lsblk ] || chmod 755 /usr/local/bin/lsblk
chmod 755 /usr/local/bin/systemctl /usr/local/sbin/poweroff /usr/local/sbin/shutdown
rm -f /usr/sbin/policy-rc.d

# An asterisk, not '!': sshd without PAM refuses a locked account.
getent passwd admin >/dev/null || useradd --no-log-init -m -s /bin/bash -p '*' admin
mkdir -p /home/admin/.ssh
cp "$seed/authorized_keys" /home/admin/.ssh/
chown -R admin: /home/admin
chmod 700 /home/admin/.ssh
chmod 600 /home/admin/.ssh/authorized_keys
mkdir -p /etc/sudoers.d /etc/ssh/sshd_config.d
echo 'admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
chmod 440 /etc/sudoers.d/90-cloud-init-users

rm -f /etc/ssh/ssh_host_*
cp "$seed"/ssh_host_* /etc/ssh/ 2>/dev/null || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
chmod 600 /etc/ssh/ssh_host_*_key
for key in /etc/ssh/ssh_host_*_key; do
  [ -e "$key.pub" ] || ssh-keygen -y -f "$key" >"$key.pub"
done
cat >/etc/ssh/sshd_config.d/00-cloud.conf <<'END'
UsePAM no
PasswordAuthentication no
UseDNS no
MaxStartups 100
END
echo '-----BEGIN SSH HOST KEY KEYS-----'
cat /etc/ssh/ssh_host_*_key.pub
echo '-----END SSH HOST KEY KEYS-----'

# Its disks are attached from outside.
while [ ! -e "$seed/go" ]; do sleep 0.02; done
sh "$seed/before-sshd"
/usr/sbin/sshd
(
  cd /
  mkdir -p /var/lib/cloud/scripts
  for script in "$seed"/user-data-*; do
    [ -e "$script" ] || continue
    file=/var/lib/cloud/scripts/${script##*/}
    cp "$script" "$file"
    chmod 700 "$file"
    "$file"
  done >/var/log/cloud-init-output.log 2>&1 </dev/null
  : >/run/cloud/finished
) &
# Signals are seen between two waits; orphans are taken up meanwhile.
while :; do
  sleep 1 &
  wait $!
done
