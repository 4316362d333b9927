/** What `sync` writes at the root of a data volume: a line for each path of each tree, `PLACE PATH …`, with tabs. */
export const MANIFEST = 'gbrowse-data.manifest';

/** Where plain data volumes are mounted on a slave, one directory a volume. */
const DATA_ROOT = '/srv/gbrowse-data';

/**
 * Old GBrowse images keep their data in the LVM volume group "volumes"; else each volume has a plain file system. If
 * `sync` has left its manifest, every tree is mounted at the paths that it has on the master (different paths are the
 * manual's first cause of rendering errors), and the database servers serve what was copied. At boot they have not
 * started yet; a running one is stopped completely first, and started again.
 */
export const DATA = `
is_data() { awk 'NF >= 2 && $2 ~ /^(ext[234]|xfs|btrfs)$/ && $3 !~ /^\\/(boot.*)?$/'; }
mount_data() {
  ! command -v udevadm >/dev/null || udevadm settle --timeout=10 2>/dev/null
  if command -v vgchange >/dev/null && vgchange -ay volumes >/dev/null 2>&1; then
    mkdir -p /opt/gbrowse
    mountpoint -q /opt/gbrowse || mount /dev/volumes/gbrowse /opt/gbrowse
    place_data /opt/gbrowse
  fi
  for device in $(lsblk -rnpo NAME,FSTYPE,MOUNTPOINT 2>/dev/null | is_data | awk 'NF == 2 { print $1 }'); do
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
data_is_there() { # a volume group counts for all of its volumes
  mountpoint -q /opt/gbrowse || [ "$VOLUMES" -eq 0 ] ||
    [ "$(lsblk -rnpo NAME,FSTYPE,MOUNTPOINT 2>/dev/null | is_data | awk 'NF >= 3' | wc -l)" -ge "$VOLUMES" ]
}
show_at() { # WHAT PATH
  [ "$1" != "$2" ] || return 0
  ! mountpoint -q "$2" || return 0
  if [ -d "$1" ]; then
    mkdir -p "$2"
  else
    mkdir -p "$(dirname "$2")" && { [ -e "$2" ] || : > "$2"; }
  fi && mount --bind "$1" "$2"
}
place_data() { # POINT
  [ -f "$1/${MANIFEST}" ] || return 0
  server lib/mysql "$1" stop mariadb mysql mysqld
  server lib/postgresql "$1" stop postgresql
  while IFS='\t' read -r place path _rest; do
    case $place in
      '' | '#'* | /* | *..*) ;;
      *) [ ! -e "$1/$place" ] || show_at "$1/$place" "$path" ;;
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
    if ! with_systemd; then
      service "$name" "$action" </dev/null >/dev/null 2>&1
    elif [ "$action" = start ]; then
      # Whether it starts at boot or not: it has data to serve.
      systemctl start --no-block "$name"
    elif systemctl is-active -q "$name" "$name@*"; then
      # "postgresql" is not the server, postgresql@15-main is, and it would stop after the command has returned.
      systemctl stop "$name.service" "$name@*.service"
    fi
    return
  done
}
`;
