import { SECOND } from '../clock.ts';
import type { Keys } from './keys.ts';

/** Where the staging machine notes when it was last heard of (its uptime in seconds). */
export const SIGN_OF_LIFE = '/run/gbrowse-sync.alive';

/** What the master says now and then, as root on the staging machine. */
export const STAY = `cut -d. -f1 /proc/uptime > ${SIGN_OF_LIFE}`;

/**
 * The user-data of the staging machine: gives it the host keys that the master knows, lets the master's key in, and powers
 * it off (which terminates it) when the master has not been heard of for `orphanTimeout` (ms). The host keys are private,
 * and good for this one machine for as long as it is there.
 */
export function stagingUserData(
  keys: Pick<Keys, 'login' | 'host'>,
  login: string,
  orphanTimeout: number,
): string {
  const hostKeys = Object.entries(keys.host)
    .map(
      ([name, text]) =>
        `cat > /etc/ssh/${name} <<'END'\n${text.trimEnd()}\nEND\nrm -f /etc/ssh/${name}.pub\n`,
    )
    .join('');
  return `#!/bin/sh
# Staging machine of gbrowse-aws-balancer sync.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
LOGIN='${login}'
ORPHAN_SECONDS=${Math.round(orphanTimeout / SECOND)}
alive() { ${STAY}; }
alive
guard() {
  while sleep 15; do
    last=$(cat ${SIGN_OF_LIFE}) && now=$(cut -d. -f1 /proc/uptime) || continue
    [ $((now - last)) -lt "$ORPHAN_SECONDS" ] || { poweroff || shutdown -h now || kill -TERM 1; }
  done
}
guard >/dev/null 2>&1 </dev/null &

id "$LOGIN" >/dev/null 2>&1 || useradd -m -s /bin/sh -p '*' "$LOGIN"
home=$(getent passwd "$LOGIN" | cut -d: -f6)
mkdir -p "$home/.ssh" && chmod 700 "$home/.ssh"
echo '${keys.login}' >> "$home/.ssh/authorized_keys"
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
