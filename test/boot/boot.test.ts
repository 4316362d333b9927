import './enter-with-machine.ts';
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { createProbe } from '../../src/farm/probe.ts';
import { userData } from '../../src/spot/user-data.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { base64, clientOf, describeInstance, launch } from '../cloud/instances.ts';
import { cloudMissing } from '../cloud/requirements.ts';
import { DATABASES, PORTS, type SlaveMachines, startMachines } from '../cloud/slave-machines.ts';
import { createSyncMaster } from '../cloud/sync-world.ts';
import { rootsMissing } from '../packaging/fixtures/roots.ts';
import { MACHINE_IMAGE } from './image.ts';

/** A boot takes minutes under emulation, on a busy machine many. */
const PATIENCE = 25 * 60_000;
/** `sync` of a machine that LVM is on gives it the whole of both volumes. */
const GIB = 1024 ** 3;

const imageMissing =
  !existsSync(path.join(MACHINE_IMAGE, 'root.img')) &&
  'the image of a virtual machine cannot be made: it needs qemu, a kernel and GBrowse from a Debian mirror';
const missing = cloudMissing() || rootsMissing() || imageMissing;
const probe = createProbe(10_000);

describe('a slave on a machine with a kernel of its own, NVMe volumes and LVM', { skip: missing }, () => {
  let machines: SlaveMachines;
  let cloud: Cloud;
  before(async () => {
    machines = await startMachines(path.join(MACHINE_IMAGE, '../roots/machine'), { emulated: MACHINE_IMAGE });
    cloud = machines.cloud;
  });
  after(() => cloud?.stop());

  const run = (id: string, command: string) => cloud.run(id, command);
  const stateOf = async (id: string) => probe((await cloud.host(id)).address, PORTS);
  const answers = async (id: string) => (await stateOf(id).catch(() => '')) === 'answered';

  /** Looks every two seconds: emulation needs the processor. */
  async function waitFor(id: string, what: string, look: () => Promise<boolean>): Promise<void> {
    for (const until = Date.now() + PATIENCE; !(await look().catch(() => false)); await sleep(2_000)) {
      if (Date.now() < until) continue;
      const log = 'cat /var/log/gbrowse-aws-balancer-slave.log; journalctl -b -n 60 --no-pager';
      const console = readFileSync(path.join(cloud.directory, id, 'console.log'), 'latin1').slice(-4_000);
      throw new Error(`waited in vain until ${what}:\n${await run(id, log).catch(String)}\n${console}`);
    }
  }

  /** Where a path is mounted from. */
  const sourceOf = async (id: string, place: string) =>
    (await run(id, `findmnt -n -o SOURCE --target ${place}`)).trim();

  const end = (id: string) => clientOf(cloud).send(new TerminateInstancesCommand({ InstanceIds: [id] }));

  let first = '';

  test('answers with its data from an NVMe volume', async t => {
    first = await machines.start();
    await waitFor(first, 'it answers', () => answers(first));
    assert.match(await sourceOf(first, DATABASES), /^\/dev\/nvme\dn1\[\/databases\]$/);
    assert.equal(await run(first, `cat ${DATABASES}/copied/a.gff3`), '##gff-version 3\n');
    const users = "ps -eww -o user=,args= | awk '/[g]browse_slave --port/ { print $1 }' | sort -u";
    assert.equal(await run(first, users), 'www-data\n');
    t.diagnostic(await run(first, 'cat /var/log/gbrowse-aws-balancer-slave.log'));
  });

  test('comes back after a reboot', async t => {
    const boot = () => run(first, 'cat /proc/sys/kernel/random/boot_id');
    const before = await boot();
    await run(first, 'systemctl reboot --no-block');
    await waitFor(first, 'it boots again', async () => (await boot()) !== before);
    await waitFor(first, 'it answers', () => answers(first));
    assert.match(await sourceOf(first, DATABASES), /^\/dev\/nvme\dn1\[\/databases\]$/);
    assert.equal(await run(first, `cat ${DATABASES}/copied/a.gff3`), '##gff-version 3\n');
    t.diagnostic(await run(first, 'tail -n 4 /var/log/gbrowse-aws-balancer-slave.log'));
  });

  /** As the manual's image has its data: a volume group over two volumes, smaller than these. Gives the snapshots. */
  async function lvmSnapshots(): Promise<string[]> {
    const zone = (await describeInstance(cloud, first)).Placement?.AvailabilityZone ?? '';
    const volumes: string[] = [];
    for (const Device of ['/dev/sdx', '/dev/sdy']) {
      const { VolumeId = '' } = await clientOf(cloud).send(
        new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1 }),
      );
      await clientOf(cloud).send(new AttachVolumeCommand({ InstanceId: first, VolumeId, Device }));
      volumes.push(VolumeId);
    }
    const links = volumes.map(
      it => `/dev/disk/by-id/nvme-*_${it.replace('-', '')} /dev/disk/by-id/nvme-*_${it.replace('-', '')}_1`,
    );
    const devices = `$(for link in ${links.join(' ')}; do [ -b "$link" ] && readlink -f "$link"; done | sort -u)`;
    await waitFor(first, 'the volumes are there', async () =>
      (await run(first, `echo ${devices}`)).trim().includes(' '),
    );
    await run(
      first,
      `set -e; for device in ${devices}; do pvcreate -q --setphysicalvolumesize 128m "$device"; done
       vgcreate -q volumes ${devices}; lvcreate -q -Zn -l 100%FREE -n gbrowse volumes
       mkfs.ext4 -q /dev/volumes/gbrowse; mount /dev/volumes/gbrowse /mnt
       mkdir /mnt/databases; echo old > /mnt/databases/old.gff3
       umount /mnt; vgchange -q -an volumes; sync`,
    );
    const snapshots: string[] = [];
    for (const VolumeId of volumes) {
      const { SnapshotId = '' } = await clientOf(cloud).send(new CreateSnapshotCommand({ VolumeId }));
      snapshots.push(SnapshotId);
    }
    return snapshots;
  }

  test('has what sync has copied onto a volume group that lies on two snapshots, and which it has made larger', async t => {
    const master = createSyncMaster(cloud, 'lvm', { databases: path.join(cloud.directory, 'databases') });
    t.after(() => master.remove());
    const data = randomBytes(8 * 1024 ** 2);
    writeFileSync(path.join(master.databases, 'new.bw'), data);
    const snapshots = await lvmSnapshots();
    await end(first);
    const conf = readFileSync(master.confFile, 'latin1')
      .replace(/^data_snapshots = {16}/m, `data_snapshots = ${snapshots.join(' ')} `)
      .concat(`boot_timeout = ${PATIENCE / 60_000}\n`);
    writeFileSync(master.confFile, conf, 'latin1');
    const sync = master.start('sync');
    const status = await sync.ended(2 * PATIENCE);
    const output = sync.stdout() + sync.stderr();
    assert.equal(status, 0, output);
    t.diagnostic(output);
    const made = master.snapshots();
    assert.equal(made.length, 2, master.conf());
    assert.ok(made.every(it => !snapshots.includes(it)));

    const id = await launch(cloud, {
      UserData: base64(
        userData({ ports: PORTS, orphanTimeout: 3_600_000, volumes: 2, databases: master.databases }),
      ),
      SecurityGroupIds: [machines.group],
      BlockDeviceMappings: made.map((SnapshotId, at) => ({
        DeviceName: `/dev/sd${'gh'[at]}`,
        Ebs: { SnapshotId, DeleteOnTermination: true },
      })),
    });
    await waitFor(id, 'it answers', () => answers(id));
    assert.equal(await sourceOf(id, '/opt/gbrowse'), '/dev/mapper/volumes-gbrowse');
    assert.equal(await sourceOf(id, master.databases), '/dev/mapper/volumes-gbrowse[/databases]');
    assert.equal(await run(id, `ls ${master.databases}`), 'new.bw\n');
    const sum = (await run(id, `sha256sum < ${master.databases}/new.bw`)).split(' ')[0];
    assert.equal(sum, hash('sha256', data));
    assert.equal(await run(id, "pvs --noheadings -o vg_name | sort | uniq -c | tr -s ' '"), ' 2 volumes\n');
    const size = Number(await run(id, 'df --output=size -B1 /opt/gbrowse | tail -n 1'));
    assert.ok(size > 1.7 * GIB, `${size} bytes`);
    await end(id);
  });
});
