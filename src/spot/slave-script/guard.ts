/**
 * Looks after the slave every 15 seconds. A port that listens is in state 0A in /proc/net/tcp, which every image has.
 *
 * The requests that the slave has answered, by its log, count as contact: whoever sent them, and however the connection
 * ended. (The script of an old image may log less, so connections count there too.) It reads what was added
 * since the last check. The log belongs to the slave's user, so it must be a regular file, and only so much of it is
 * read.
 */
export const GUARD = `
sockets() { # PORT: the states of its sockets
  awk -v port="$(printf ':%04X' "$1")" 'substr($2, length($2) - 4) == port { print $4 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
listens() { sockets "$1" | grep -q '^0A$'; }
is_served() { listens "$1" && has_parent "$1"; }
all_served() {
  for port in $PORTS; do is_served "$port" || return 1; done
}
slave_log() { # of an image's own script where that says
  places=
  ! own_script || places=$(sed -n 's/^ *LOGDIR=[^/$]*\\([[:alnum:]_./-]*\\).*/\\1/p' /etc/default/gbrowse-slave "$own" 2>/dev/null)
  for place in $places /var/log/gbrowse /var/log/gbrowse2; do
    log=$place/gbrowse_slave
    [ -f "$log" ] && [ ! -L "$log" ] && echo "$log" && return
  done
}
contacted() {
  log=$(slave_log)
  if [ -n "$log" ]; then
    size=$(stat -c %s "$log") from=$seen seen=$size
    [ "$from" -le "$size" ] || from=0
    said=$(tail -c "+$((from + 1))" "$log" | head -c 1000000 | awk '
      /REQUEST DATASOURCE|operation=/ { asked++ }
      /operation=render_tracks; response=200/ { drawn++ }
      END { print asked + 0, drawn + 0 }')
    [ "\${said#* }" = 0 ] || tell "renders=$((\${said#* } + $(told renders)))" "drawn=$(cut -d' ' -f1 /proc/uptime)"
    [ "\${said% *}" = 0 ] || return 0
  fi
  own_script || return 1
  for port in $PORTS; do sockets "$port" | grep -qv '^0A$' && return 0; done
  return 1
}
show_host_keys() { # on the console, which EC2 shows to the master: so ssh knows them. cloud-init may not, or make others.
  keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null)
  [ "$keys" != "$shown_keys" ] && [ -c /dev/console ] || return
  shown_keys=$keys
  printf '%s\\r\\n' '' '-----BEGIN SSH HOST KEY KEYS-----' "$keys" '-----END SSH HOST KEY KEYS-----' > /dev/console
}
uptime_seconds() { cut -d. -f1 /proc/uptime; }
guard() {
  last=$(uptime_seconds) seen=0 shown_keys=
  tell "renders=$(told renders)"
  log=$(slave_log)
  [ -z "$log" ] || seen=$(stat -c %s "$log")
  while :; do
    data_is_there || { mount_data; ! data_is_there || phase data 'data mounted'; }
    if data_is_there && ! all_served; then start_slaves; fi
    show_host_keys
    contacted && last=$(uptime_seconds)
    if [ $(($(uptime_seconds) - last)) -ge "$ORPHAN_SECONDS" ]; then
      logger -t gbrowse-slave "nobody has contacted this slave for $ORPHAN_SECONDS seconds: power off"
      poweroff || shutdown -h now || kill -TERM 1
    fi
    [ -e "$HERE/listening" ] || ! all_listen || { phase listening 'slave listening'; : > "$HERE/listening"; }
    if [ -e "$HERE/listening" ]; then sleep 15; else sleep 1; fi
  done
}
all_listen() {
  for port in $PORTS; do listens "$port" || return 1; done
}
`;
