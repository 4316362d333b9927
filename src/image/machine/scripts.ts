import { shellQuoted } from '../../format/shell.ts';

/** Where the staging machine keeps the output of the steps. */
const LOG = '/var/log/gbrowse-aws-balancer-image.log';

const START = `set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Ubuntu's needrestart would restart services after each installation.
export PATH DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C
apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null; }
`;

/**
 * Reads the archive's lists, and prints which packages it has: `NAME CANDIDATE` for each; `present VERSION` where the
 * image has a GBrowse already. Nothing that is installed starts: a slave needs neither Apache nor a database server
 * before its data are there.
 */
export function archiveScript(packages: readonly string[]): string {
  return `${START}
# Its first boot may use apt too.
! command -v cloud-init >/dev/null || timeout 300 cloud-init status --wait >/dev/null 2>&1 || :
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt -o Acquire::Retries=3 update > ${LOG} 2>&1 || { tail -n 3 ${LOG} >&2; exit 1; }
if grep '^W: Failed to fetch' ${LOG} >&2; then exit 1; fi
for name in ${['rsync', ...packages].map(shellQuoted).join(' ')}; do
  echo "package $name $(apt-cache policy "$name" | awk '$1 == "Candidate:" { print $2 }')"
done
${PRESENT}`;
}

/** Prints the version of GBrowse, if there is one. */
const PRESENT = `perl -MBio::Graphics::Browser2 -e 'print "present ", Bio::Graphics::Browser2->VERSION, "\\n"' 2>/dev/null || :
`;

/** Prints `present VERSION` if GBrowse can be loaded. */
export const PRESENT_SCRIPT = PRESENT;

/** Upgrades installed packages, and installs the others; each of their lines goes to standard output. */
export function installScript(packages: readonly string[]): string {
  const names = ['rsync', ...packages].map(shellQuoted).join(' ');
  return `${START}
apt upgrade
apt --no-install-recommends install ${names}
`;
}

/** Services that a slave does not need, or that must not start before its data are there. */
const NOT_AT_BOOT = [
  'apache2',
  'mariadb',
  'mysql',
  'postgresql',
  'unattended-upgrades',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'man-db.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
];

/** The end of each line that we add to a file of the distribution. */
const MARK = '# gbrowse-aws-balancer';

/**
 * Decides what starts at boot: GBrowse's own init script would run slaves as root, and before the data are there; the
 * user-data of a slave starts them. It reads what `/etc/default/gbrowse-slave` says.
 *
 * @param libraries where Perl looks first
 */
export function settleScript(libraries: readonly string[]): string {
  const setting = `export PERL5LIB=${shellQuoted(libraries.join(':'))} ${MARK}`;
  const line = libraries.length === 0 ? '' : `echo ${shellQuoted(setting)} >> "$file"\n`;
  return `${START}
file=/etc/default/gbrowse-slave
[ ! -e "$file" ] || sed -i '/ ${MARK}$/d' "$file"
${line}rm -f /usr/sbin/policy-rc.d
if command -v systemctl >/dev/null; then
  systemctl mask gbrowse-slave.service gbrowse-aws-balancer.service
  for service in ${NOT_AT_BOOT.join(' ')}; do
    systemctl disable "$service" >/dev/null 2>&1 || :
  done
else
  for service in gbrowse-slave gbrowse-aws-balancer ${NOT_AT_BOOT.filter(it => !it.includes('.')).join(' ')}; do
    [ ! -e "/etc/init.d/$service" ] || update-rc.d "$service" disable
  done
fi
`;
}

/** Runs the administrator's script, in any language, without input. */
export function ownScript(text: string): string {
  const file = '/var/tmp/gbrowse-aws-balancer-script';
  return `set -eu
umask 077
echo ${Buffer.from(text).toString('base64')} | base64 -d > ${file}
chmod 700 ${file}
status=0
${file} </dev/null || status=$?
rm -f ${file}
exit "$status"
`;
}

/** Where the trial's files are on the staging machine. */
export const TRIAL = '/var/tmp/gbrowse-aws-balancer-trial';

/**
 * Removes what belongs to this one machine, including our own login: a machine that is started from the image gets its
 * own host keys, machine id and users' keys from cloud-init.
 *
 * @param login the user that we logged in as
 */
export function cleanScript(login: string): string {
  return `${START}
apt clean
rm -rf /var/lib/apt/lists/* ${TRIAL}
rm -f /etc/sudoers.d/gbrowse-sync /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
home=$(getent passwd ${shellQuoted(login)} | cut -d: -f6)
[ ! -f "$home/.ssh/authorized_keys" ] || sed -i '/ gbrowse-aws-balancer-sync$/d' "$home/.ssh/authorized_keys"
rm -rf /var/log/gbrowse/* /var/log/gbrowse-aws-balancer-slave.log ${LOG} /run/gbrowse-aws-balancer
rm -f /root/.bash_history "$home/.bash_history"
: > /etc/machine-id
if command -v cloud-init >/dev/null; then cloud-init clean --logs >/dev/null; fi
rm -rf /var/lib/cloud/instances /var/lib/cloud/instance /var/lib/cloud/scripts
sync
`;
}
