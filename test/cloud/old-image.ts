import { userData } from '../../src/spot/user-data.ts';
import { PORTS } from './slave-machines.ts';

/** Where the log of its slave is, which is no place of Debian's. */
export const LOG_DIRECTORY = '/var/log/render-slave';

/**
 * The user-data of a slave on an image like the manual's AMI: GBrowse lies in /opt/gbrowse, an init script of the image's
 * starts its slave (as root, one process a port, which logs warnings alone), and takes a slave that has a pidfile for one
 * that runs. The first part makes such an image of Debian's.
 */
export function oldImageUserData(): string {
  const image = `#cloud-boothook
#!/bin/sh
mkdir -p /opt/gbrowse/bin /opt/gbrowse/etc/init.d
[ -e /opt/gbrowse/bin/gbrowse_slave ] || mv /usr/bin/gbrowse_slave /opt/gbrowse/bin/
rm -f /etc/default/gbrowse-slave
cat > /opt/gbrowse/etc/init.d/gbrowse-slave <<'END'
#!/bin/sh
LOGDIR="${LOG_DIRECTORY}"
action=$1
shift
[ "$action" = start ] || exit 1
mkdir -p /var/run/gbrowse "$LOGDIR"
for port; do
  pidfile=/var/run/gbrowse/gbrowse-slave.$port.pid
  [ ! -e "$pidfile" ] || { echo "port $port is served already"; continue; }
  /opt/gbrowse/bin/gbrowse_slave --port "$port" --verbose 1 --log "$LOGDIR/gbrowse_slave" --pid "$pidfile"
done
END
chmod 755 /opt/gbrowse/etc/init.d/gbrowse-slave
`;
  const slave = userData({ ports: PORTS, orphanTimeout: 3_600_000 });
  const parts = [image, slave].map(
    text => `--==part==\nContent-Type: text/cloud-boothook; charset="us-ascii"\n\n${text}`,
  );
  return `Content-Type: multipart/mixed; boundary="==part=="\nMIME-Version: 1.0\n\n${parts.join('')}--==part==--\n`;
}
