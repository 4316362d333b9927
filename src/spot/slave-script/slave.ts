/**
 * Starts `gbrowse_slave` on the ports that are not served. It gets its group from outside (its own `--user` keeps
 * root's group and cannot read the data), and more processes than processors, so that it answers while it draws:
 * without `--prefork` it answers nothing while it opens data. The image's /etc/default/gbrowse-slave applies, with the
 * larger number of processes.
 *
 * Old images (the manual's GBrowse AMI) start the slave with an init script of their own, which is used there: its
 * places and its user are the image's. The module of `FIGURES` gives it the number of processes, and its log the lines
 * that the guard counts.
 *
 * A slave's parent leads a process group. If it was killed, its children go on serving, and nobody replaces them: so
 * they are ended, and the slave is started again.
 */
export const SLAVE = `
processors() { nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo; }
slaves_on() { # PORT: process and process group of each of its processes; without PORT, of all slaves
  ps -eww -o pid=,pgid=,args= | awk -v port="$1" '/[g]browse_slave -/ && (port == "" || $0 ~ ("--port[= ]" port "( |$)")) { print $1, $2 }'
}
has_parent() { slaves_on "$1" | awk '$1 == $2 { found = 1 } END { exit !found }'; }
end_slaves() { # PORT, or none for all
  for signal in TERM TERM KILL; do
    pids=$(slaves_on "$1" | cut -d' ' -f1)
    [ -n "$pids" ] || return 0
    kill -s "$signal" $pids 2>/dev/null
    sleep 1
  done
}
keep_own_slaves_out() { # The package's init script runs slaves as root, and before the data are there.
  if with_systemd; then
    systemctl mask --runtime --now gbrowse-slave gbrowse-aws-balancer >/dev/null 2>&1
  elif [ -e /etc/init.d/gbrowse-slave ]; then
    service gbrowse-slave stop </dev/null >/dev/null 2>&1
    # Else init starts them later in this boot.
    rm -f /etc/rc[0-9S].d/S[0-9][0-9]gbrowse-*
  fi
  end_slaves ''
}
own_script() { # of an old image; where it has none, the slave is started without
  own=/opt/gbrowse/etc/init.d/gbrowse-slave
  [ -x "$own" ] || command -v gbrowse_slave >/dev/null || own=/etc/init.d/gbrowse-slave
  [ -x "$own" ]
}
start_slaves() (
  export GBROWSE_SLAVE_PROCESSES=$(($(processors) + 1))
  if own_script; then
    # Old scripts take a slave whose pidfile is there for one that runs.
    for port in $PORTS; do has_parent "$port" || { end_slaves "$port"; rm -f /var/run/gbrowse*/gbrowse-slave.$port.pid; }; done
    [ -e "$HERE/token" ] || { rm -rf /tmp/gbslave_ccache; mkdir -m 1777 /tmp/gbslave_ccache; put_token /tmp/gbslave_ccache; }
    : > "$HERE/token"
    ! write_module || export PERL5OPT="-I$HERE -MGBrowseAwsBalancerSlave"
    SYSTEMCTL_SKIP_REDIRECT=1 "$own" start $PORTS
    return
  fi
  PREFORK= PRELOAD= NICE= USER=
  [ ! -r /etc/default/gbrowse-slave ] || . /etc/default/gbrowse-slave
  id -u "\${USER:-/}" >/dev/null 2>&1 || USER=www-data
  group=$(id -gn "$USER")
  [ "$PREFORK" -ge "$GBROWSE_SLAVE_PROCESSES" ] 2>/dev/null || PREFORK=$GBROWSE_SLAVE_PROCESSES
  mkdir -p /var/log/gbrowse
  chown "$USER:$group" /var/log/gbrowse "$HERE/cache"
  cd /
  as="setpriv --reuid=$USER --regid=$group --init-groups"
  put_token "$HERE/cache" $as
  set -- --prefork "$PREFORK" --verbose 2 --log /var/log/gbrowse/gbrowse_slave --tmp "$HERE/cache"
  [ ! -r "$PRELOAD" ] || set -- "$@" --preload "$PRELOAD"
  ! write_module || export PERL5OPT="-I$HERE -MGBrowseAwsBalancerSlave"
  for port in $PORTS; do
    is_served "$port" || { end_slaves "$port"; nice -n "\${NICE:-0}" $as gbrowse_slave --port "$port" "$@"; } &
  done
  wait
)
put_token() { # DIRECTORY [AS-USER...]
  directory=$1
  shift
  [ -e "$directory/$TOKEN" ] || "$@" perl -MStorable=lock_store -e 'lock_store({}, shift)' "$directory/$TOKEN"
}
`;
