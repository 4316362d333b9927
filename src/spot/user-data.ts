import { SECOND } from '../clock.ts';

export type SlaveScript = {
  readonly ports: readonly number[];
  /** How long (ms) nobody may have contacted the slave before it powers itself off. */
  readonly orphanTimeout: number;
  /** Where the databases lie on the master, so that a slave finds them at the same path. */
  readonly databases?: string;
};

/** What `sync` writes at the root of a data volume: a line for each path of each tree, `PLACE PATH …`, with tabs. */
export const MANIFEST = 'gbrowse-data.manifest';

/** A line of every slave's user-data: a machine that has it is a slave, and never runs a balancer. */
export const SLAVE_MARK = '# GBrowse render slave, started by gbrowse-aws-balancer.';

/** Where plain data volumes are mounted on a slave, one directory a volume. */
const DATA_ROOT = '/srv/gbrowse-data';

/**
 * The user-data of a slave: a root shell script that cloud-init runs once. It mounts the data volumes, starts GBrowse's
 * slave on all ports, starts it again if it dies, and powers the machine off (which terminates it) when nobody has
 * contacted it for `orphanTimeout`. It holds no secret: whoever may run a program on the slave can read it.
 *
 * Images: the GBrowse AMI has an init script of its own (the manual); a Debian image has the package's `gbrowse_slave`,
 * which must be given its group from outside (its own `--user` keeps root's group and cannot read the data).
 */
export function userData(script: SlaveScript): string {
  return `#!/bin/sh
${SLAVE_MARK}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
PORTS='${script.ports.join(' ')}'
ORPHAN_SECONDS=${Math.round(script.orphanTimeout / SECOND)}
DATABASES=${shellQuoted(script.databases ?? '')}
${MOUNT}${START}${GUARD}
mount_data
guard >/dev/null 2>&1 </dev/null &
`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Old GBrowse images keep their data in the LVM volume group "volumes"; else each volume has a plain filesystem. Where
 * `sync` has left its manifest, every tree is put at the paths that it has on the master (a tree that lies elsewhere is
 * the manual's first cause of rendering errors), and the database servers serve what was copied.
 */
const MOUNT = `
mount_data() {
  if command -v vgchange >/dev/null && vgchange -ay volumes >/dev/null 2>&1; then
    mountpoint -q /opt/gbrowse || mount /dev/volumes/gbrowse /opt/gbrowse
    place_data /opt/gbrowse
  fi
  for device in $(lsblk -rnpo NAME,FSTYPE,MOUNTPOINT 2>/dev/null | awk 'NF == 2 && $2 ~ /^(ext[234]|xfs|btrfs)$/ { print $1 }'); do
    point=${DATA_ROOT}/$(basename "$device")
    mkdir -p "$point"
    mount "$device" "$point" || continue
    if [ -f "$point/${MANIFEST}" ]; then
      place_data "$point"
    elif [ -n "$DATABASES" ] && [ -d "$point/databases" ]; then
      show_at "$point/databases" "$DATABASES"
    fi
  done
}
show_at() { # DIRECTORY PATH
  [ "$1" = "$2" ] || { mkdir -p "$2" && mount --bind "$1" "$2"; }
}
place_data() { # POINT
  [ -f "$1/${MANIFEST}" ] || return 0
  server lib/mysql "$1" stop mariadb mysql mysqld
  server lib/postgresql "$1" stop postgresql
  while IFS='\t' read -r place path _rest; do
    case $place in
      databases|databases-[0-9]|databases-[0-9][0-9]|lib/mysql|lib/postgresql) show_at "$1/$place" "$path" ;;
    esac
  done < "$1/${MANIFEST}"
  server lib/mysql "$1" start mariadb mysql mysqld
  server lib/postgresql "$1" start postgresql
}
server() { # PLACE POINT stop|start NAME...: of the first service that the image has
  [ -d "$2/$1" ] || return 0
  tree=$2/$1 action=$3 user=postgres
  [ "$1" != lib/mysql ] || user=mysql
  shift 3
  for name; do
    [ -e "/etc/init.d/$name" ] || [ -e "/lib/systemd/system/$name.service" ] || [ -e "/usr/lib/systemd/system/$name.service" ] || continue
    # The numbers of users differ between images.
    if [ "$action" = start ] && [ "$(stat -c %U "$tree")" != "$user" ]; then chown -R "$user:$user" "$tree"; fi
    service "$name" "$action" </dev/null >/dev/null 2>&1
    return
  done
}
`;

const START = `
start_slave() {
  if [ -x /opt/gbrowse/etc/init.d/gbrowse-slave ]; then
    /opt/gbrowse/etc/init.d/gbrowse-slave start $PORTS
    return
  fi
  mkdir -p /var/log/gbrowse /run/gbrowse-slave
  chown www-data:www-data /var/log/gbrowse /run/gbrowse-slave
  for port in $PORTS; do
    listens "$port" || setpriv --reuid=www-data --regid=www-data --init-groups \\
      gbrowse_slave --port "$port" --verbose 2 --log /var/log/gbrowse/gbrowse_slave --pid "/run/gbrowse-slave/$port.pid"
  done
}
`;

/**
 * Connections are read from /proc/net/tcp, which every image has: a port listens in state 0A. Each connection that the
 * slave closed stays there for a minute (TIME_WAIT), so a look every 15 seconds misses none of the balancer's probes.
 */
const GUARD = `
sockets() { # PORT: the states of its sockets
  awk -v port="$(printf ':%04X' "$1")" 'substr($2, length($2) - 4) == port { print $4 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
listens() { sockets "$1" | grep -q '^0A$'; }
contacted() {
  for port in $PORTS; do sockets "$port" | grep -qv '^0A$' && return 0; done
  return 1
}
all_listen() {
  for port in $PORTS; do listens "$port" || return 1; done
}
uptime_seconds() { cut -d. -f1 /proc/uptime; }
guard() {
  last=$(uptime_seconds)
  while :; do
    all_listen || start_slave
    contacted && last=$(uptime_seconds)
    if [ $(($(uptime_seconds) - last)) -ge "$ORPHAN_SECONDS" ]; then
      logger -t gbrowse-slave "nobody has contacted this slave for $ORPHAN_SECONDS seconds: power off"
      poweroff || shutdown -h now || kill -TERM 1
    fi
    sleep 15
  done
}
`;
