import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { cloudMissing } from '../cloud/requirements.ts';
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';

/** What virtual machines boot: `root.img`, `vmlinuz`, `initrd`; `key` logs in as root; `emulator` is a root with qemu. */
export const MACHINE_IMAGE = path.resolve(import.meta.dirname, '../../dist/boot');

const SIZE = '5G';

/** What `describe(…, { skip })` takes: why there can be no virtual machines here, or false. */
export function machineMissing(): string | false {
  const missing =
    !existsSync(path.join(MACHINE_IMAGE, 'root.img')) &&
    'the image of a virtual machine cannot be made: it needs qemu, a kernel and GBrowse from a Debian mirror';
  return cloudMissing() || rootsMissing() || missing;
}

/**
 * Makes the image, and keeps it until the system that it is made of is made anew. Needs root and, at first, the network.
 *
 * @throws {Error} when the mirror does not have what it needs
 */
export async function makeMachineImage(): Promise<void> {
  const root = await debianRoot('machine');
  const emulator = await debianRoot('emulator');
  const image = path.join(MACHINE_IMAGE, 'root.img');
  if (existsSync(image) && statSync(image).mtimeMs > statSync(root).mtimeMs) return;
  rmSync(MACHINE_IMAGE, { recursive: true, force: true });
  mkdirSync(MACHINE_IMAGE, { recursive: true, mode: 0o755 });
  symlinkSync(emulator, path.join(MACHINE_IMAGE, 'emulator'));
  // An overlay, so that the root stays as it is.
  const script = `set -e
    ssh-keygen -q -t ed25519 -N '' -C '' -f '${MACHINE_IMAGE}/key'
    mount --make-rprivate /
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay -o 'lowerdir=${root},upperdir=/mnt/upper,workdir=/mnt/work' overlay /mnt/root
    cd /mnt/root
    cp boot/vmlinuz-* '${MACHINE_IMAGE}/vmlinuz'
    cp boot/initrd.img-* '${MACHINE_IMAGE}/initrd'
    install -d -m 700 root/.ssh
    install -m 600 '${MACHINE_IMAGE}/key.pub' root/.ssh/authorized_keys
    : > etc/machine-id
    printf '%s\\n' 'datasource_list: [ Ec2 ]' 'locale: false' 'ssh_genkeytypes: [ ed25519 ]' > etc/cloud/cloud.cfg.d/90_image.cfg
    ln -s /dev/null etc/systemd/system/e2scrub_reap.service
    echo image > etc/hostname
    echo 'LABEL=cloudroot / ext4 defaults 0 1' > etc/fstab
    rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*
    truncate -s ${SIZE} '${image}.new'
    mke2fs -q -t ext4 -L cloudroot -d . '${image}.new'`;
  execFileSync('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(`${image}.new`, image);
}
