/**
 * Installs what the tests run against: Debian packages (as root, with apt-get; their services are not started) and
 * moto_server. What cannot be installed is named; its tests are skipped then.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findMotoServer } from '../test/peers/moto.ts';

/** A package, and a file by which it is recognised. */
const PACKAGES = [
  ['apache2', '/usr/sbin/apache2'],
  ['libapache2-mod-fcgid', '/usr/lib/apache2/modules/mod_fcgid.so'],
  ['libapache2-mod-perl2', '/usr/lib/apache2/modules/mod_perl.so'],
  ['libfcgi-perl', '/usr/share/doc/libfcgi-perl'],
  ['libcgi-fast-perl', '/usr/share/doc/libcgi-fast-perl'],
  ['gbrowse', '/usr/bin/gbrowse_slave'],
  ['gbrowse-data', '/usr/share/doc/gbrowse-data'],
  ['binutils', '/usr/bin/strip'],
  ['procps', '/usr/bin/ps'],
  ['python3-venv', '/usr/share/doc/python3-venv'],
  ['iproute2', '/usr/sbin/ip'],
  ['nftables', '/usr/sbin/nft'],
  ['openssh-server', '/usr/sbin/sshd'],
  ['rsync', '/usr/bin/rsync'],
  ['sudo', '/usr/bin/sudo'],
  ['xfsprogs', '/usr/sbin/mkfs.xfs'],
  ['e2fsprogs', '/usr/sbin/mkfs.ext4'],
  ['curl', '/usr/bin/curl'],
  ['busybox', '/bin/busybox'],
  ['acl', '/usr/bin/setfacl'],
  ['attr', '/usr/bin/setfattr'],
  ['mariadb-server', '/usr/sbin/mariadbd'],
  ['postgresql', '/usr/bin/pg_ctlcluster'],
  ['mmdebstrap', '/usr/bin/mmdebstrap'],
  ['lintian', '/usr/bin/lintian'],
  ['shellcheck', '/usr/bin/shellcheck'],
  ['mandoc', '/usr/bin/mandoc'],
  ['man-db', '/usr/bin/man'],
  ['zsh', '/usr/bin/zsh'],
  ['fish', '/usr/bin/fish'],
  ['prometheus', '/usr/bin/promtool'],
] as const;

const POLICY = '/usr/sbin/policy-rc.d';

const missing = PACKAGES.filter(([, file]) => !existsSync(file)).map(([name]) => name);
if (missing.length === 0) say('all Debian packages are there');
else if (process.getuid?.() !== 0) say(`not root, so these are not installed: ${missing.join(' ')}`);
else install(missing);
say(findMotoServer() === undefined ? 'tests over the wire will be skipped' : 'moto_server is there');

function install(names: readonly string[]): void {
  say(`apt-get install ${names.join(' ')}`);
  const ownPolicy = !existsSync(POLICY);
  // 101: no service is to be started on this machine (Debian's invoke-rc.d).
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', ...names],
    ]) {
      const { status } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
      if (status !== 0)
        say(`apt-get ${args[0]} ended with ${status}; tests that need the packages are skipped`);
    }
  } finally {
    if (ownPolicy) rmSync(POLICY);
  }
}

function say(message: string): void {
  process.stdout.write(`setup: ${message}\n`);
}
