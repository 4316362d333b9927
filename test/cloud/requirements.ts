import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ec2Missing } from '../peers/ec2-stand-in.ts';

/** Set in the environment of what runs inside of the bed's namespaces. */
export const INSIDE = 'GBROWSE_CLOUD';

/** Debian packages, and a file by which each is recognised. */
const PACKAGES = [
  ['iproute2', '/usr/sbin/ip'],
  ['nftables', '/usr/sbin/nft'],
  ['openssh-server', '/usr/sbin/sshd'],
  ['openssh-client', '/usr/bin/ssh'],
  ['rsync', '/usr/bin/rsync'],
  ['sudo', '/usr/bin/sudo'],
  ['xfsprogs', '/usr/sbin/mkfs.xfs'],
  ['e2fsprogs', '/usr/sbin/resize2fs'],
  ['util-linux', '/usr/bin/nsenter'],
  ['procps', '/usr/bin/pgrep'],
  ['curl', '/usr/bin/curl'],
] as const;

let known: string | false | undefined;

/** What `describe(…, { skip })` takes: why there can be no cloud in a box here, or false. */
export function cloudMissing(): string | false {
  known ??= find();
  return known;
}

function find(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid?.() !== 0) return 'not root';
  if (process.execve === undefined) return 'Node.js 22.15 or 23.11 is needed';
  const missing = PACKAGES.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`;
  // Inside it was tried already.
  if (process.env[INSIDE] === undefined) {
    const trial = 'mount -t tmpfs tmpfs /mnt && losetup --find >/dev/null && nft list tables';
    const { status, stderr } = spawnSync('unshare', ['-n', '-m', '-p', '--fork', 'sh', '-c', trial]);
    if (status !== 0)
      return `no namespaces: ${String(stderr).trim().split('\n')[0] ?? 'unshare cannot be run'}`;
  }
  return ec2Missing();
}
