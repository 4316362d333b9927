import { SECOND } from '../clock.ts';
import type { Keys } from './keys.ts';

/** Where the staging machine notes when it was last heard of (its uptime in seconds). */
const ALIVE_FILE = '/run/gbrowse-sync.alive';

/** The command that the master runs now and then, as root on the staging machine, to keep it alive. */
export const STAY = `cut -d. -f1 /proc/uptime > ${ALIVE_FILE}`;

const BOUNDARY = '==gbrowse-aws-balancer==';

/**
 * The user-data of the staging machine, in two parts. A boothook, at every boot: powers it off (which terminates it)
 * when it has not heard from the master for `orphanTimeout` (ms), and keeps the image's own balancer and slaves from
 * running. A script, once, after cloud-init has made host keys of its own: installs the host keys that the master
 * knows, and accepts the master's key. The host keys are private, and good for this one machine for as long as it is
 * there.
 */
export function stagingUserData(
  keys: Pick<Keys, 'login' | 'host'>,
  login: string,
  orphanTimeout: number,
): string {
  const parts = [
    ['text/cloud-boothook', guardScript(orphanTimeout)],
    ['text/x-shellscript', accessScript(keys, login)],
  ] as const;
  return [
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"\nMIME-Version: 1.0\n\n`,
    ...parts.map(([type, text]) => `--${BOUNDARY}\nContent-Type: ${type}; charset="us-ascii"\n\n${text}`),
    `--${BOUNDARY}--\n`,
  ].join('');
}

function guardScript(orphanTimeout: number): string {
  return `#cloud-boothook
#!/bin/sh
# Staging machine of gbrowse-aws-balancer.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
ORPHAN_SECONDS=${Math.round(orphanTimeout / SECOND)}
alive() { ${STAY}; }
alive
guard() {
  while sleep 15; do
    last=$(cat ${ALIVE_FILE}) && now=$(cut -d. -f1 /proc/uptime) || continue
    [ $((now - last)) -lt "$ORPHAN_SECONDS" ] || { poweroff || shutdown -h now || kill -TERM 1; }
  done
}
# It holds none of cloud-init's pipes, which would keep cloud-init waiting.
(exec >/dev/null 2>&1 </dev/null; guard) &
if [ -d /run/systemd/system ]; then
  systemctl mask --runtime --now gbrowse-slave gbrowse-aws-balancer >/dev/null 2>&1
fi
exit 0
`;
}

function accessScript({ login: key, host }: Pick<Keys, 'login' | 'host'>, login: string): string {
  const hostKeys = Object.entries(host)
    .map(
      ([name, text]) =>
        `cat > /etc/ssh/${name} <<'END'\n${text.trimEnd()}\nEND\nrm -f /etc/ssh/${name}.pub\n`,
    )
    .join('');
  return `#!/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
LOGIN='${login}'
id "$LOGIN" >/dev/null 2>&1 || useradd -m -s /bin/sh -p '*' "$LOGIN"
home=$(getent passwd "$LOGIN" | cut -d: -f6)
mkdir -p "$home/.ssh" && chmod 700 "$home/.ssh"
echo '${key}' >> "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
chown -R "$LOGIN:" "$home/.ssh"
if [ "$LOGIN" != root ] && [ -d /etc/sudoers.d ]; then
  echo "$LOGIN ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/gbrowse-sync
  chmod 440 /etc/sudoers.d/gbrowse-sync
fi

umask 077
${hostKeys}for file in /run/sshd.pid /var/run/sshd.pid; do
  [ -s "$file" ] && kill -HUP "$(cat "$file")" && break
done
exit 0
`;
}
