import { SECOND } from '../clock.ts';
import { shellQuoted } from '../format/shell.ts';
import { DATA, MANIFEST } from './slave-script/data.ts';
import { FIGURES } from './slave-script/figures.ts';
import { GUARD } from './slave-script/guard.ts';
import { SLAVE } from './slave-script/slave.ts';

export { MANIFEST };

export type SlaveScript = {
  readonly ports: readonly number[];
  /** After how long (ms) without any contact the slave powers itself off. */
  readonly orphanTimeout: number;
  /** Where the databases lie on the master, so that a slave finds them at the same path. */
  readonly databases?: string;
  /** How many data volumes the slave is launched with; without them it is not ready. 0 when left out. */
  readonly volumes?: number;
};

/** A line of every slave's user-data: a machine that has it is a slave, and never runs a balancer. */
export const SLAVE_MARK = '# GBrowse render slave, started by gbrowse-aws-balancer.';

/**
 * The name of a data source that all our slaves know once their data are mounted, and no other `gbrowse_slave`: ours
 * answer 400 to a request for it, others 403 with the name.
 */
export const SLAVE_TOKEN = 'gbrowse-aws-balancer';

/**
 * The user-data of a slave: a root shell script. As a boothook of cloud-init it runs at every boot, before the image's
 * services: it keeps the image's own slaves out, mounts the data volumes, and then starts GBrowse's slave on all ports.
 * A guard restarts a slave that dies, and powers the machine off (which terminates it) when nobody has contacted it for
 * `orphanTimeout`. The script contains no secret: anybody who can run a program on the slave can read it.
 *
 * Images: one with systemd gets a unit; an older one a background process. The GBrowse AMI has an init script of its
 * own (the manual); a Debian image has the package's `gbrowse_slave`.
 */
export function userData(script: SlaveScript): string {
  return `#cloud-boothook
#!/bin/sh
${SLAVE_MARK}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
PORTS='${script.ports.join(' ')}'
ORPHAN_SECONDS=${Math.round(script.orphanTimeout / SECOND)}
DATABASES=${shellQuoted(script.databases ?? '')}
VOLUMES=${script.volumes ?? 0}
TOKEN=${SLAVE_TOKEN}
HERE=/run/gbrowse-aws-balancer
LOG=/var/log/gbrowse-aws-balancer-slave.log
UNIT=gbrowse-aws-balancer-slave
${DATA}${SLAVE}${FIGURES}${GUARD}${BOOT}
case \${1-} in
  guard) guard ;;
  *) boot ;;
esac
`;
}

/**
 * Under systemd the guard is a unit, which waits for nothing but the file systems; else a process that holds none of
 * cloud-init's pipes, which would keep cloud-init waiting.
 */
const BOOT = `
phase() { # NAME WHAT [SECONDS]: the uptime goes to the log, to the console and to the balancer
  set -- "$1" "$2" "\${3:-$(cut -d' ' -f1 /proc/uptime)}"
  line="$(date '+%F %T') $2 $3 s after the start"
  echo "$line" >> "$LOG"
  logger -t gbrowse-slave "$line" 2>/dev/null
  [ -z "$1" ] || tell "$1=$3"
}
with_systemd() { [ -d /run/systemd/system ]; }
boot() {
  mkdir -p "$HERE/cache"
  chmod 755 "$HERE"
  rm -f "$HERE/cache/$TOKEN" "$HERE/token" "$HERE/listening" "$HERE/figures"
  cp "$0" "$HERE/script"
  ! with_systemd || write_unit
  phase network 'network up'
  keep_own_slaves_out
  mount_data
  if data_is_there; then phase data 'data mounted'; else phase '' "fewer than $VOLUMES data volumes"; fi
  if with_systemd; then systemctl start --no-block "$UNIT"; else (exec >/dev/null 2>&1 </dev/null; guard) & fi
}
write_unit() {
  phase kernel 'kernel done' "$(systemctl show -p UserspaceTimestampMonotonic | awk -F= '{ printf "%.2f", $2 / 1000000 }')"
  cat > "/run/systemd/system/$UNIT.service" <<END
[Unit]
Description=GBrowse render slave
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service
Conflicts=shutdown.target
Before=shutdown.target
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh $HERE/script guard
Restart=always
RestartSec=1
END
}
`;
