import './enter-with-machine.ts';
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateSnapshotCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { createProbe } from '../../src/farm/probe.ts';
import { userData } from '../../src/spot/user-data.ts';
import { type Cloud, startCloud } from '../cloud/cloud.ts';
import { base64, clientOf, createGroup, describeInstance, launch } from '../cloud/instances.ts';
import { PORTS } from '../cloud/slave-machines.ts';
import { createSyncMaster } from '../cloud/sync-world.ts';
import { MACHINE_IMAGE, machineMissing } from './image.ts';

/** A boot takes a minute under emulation, on a busy machine several. */
const PATIENCE = 15 * 60_000;
const GIB = 1024 ** 3;
const DEVICES = ['/dev/sdg', '/dev/sdh'];
const probe = createProbe(10_000);

describe('data in the volume group of old GBrowse images', { skip: machineMissing() }, () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await startCloud({ emulated: MACHINE_IMAGE, quick: true });
  });
  after(() => cloud?.stop());

  const run = (id: string, command: string) => cloud.run(id, command);

  /** Looks every second: emulation needs the processor. */
  async function waitFor(id: string, what: string, look: () => Promise<boolean>): Promise<void> {
    for (const until = Date.now() + PATIENCE; !(await look().catch(() => false)); await sleep(1_000)) {
      if (Date.now() < until) continue;
      const log = await run(id, 'cat /var/log/gbrowse-aws-balancer-slave.log').catch(String);
      const console = readFileSync(path.join(cloud.directory, id, 'console.log'), 'latin1').slice(-4_000);
      throw new Error(`waited in vain until ${what}:\n${log}\n${console}`);
    }
  }

  const sourceOf = async (id: string, place: string) =>
    (await run(id, `findmnt -n -o SOURCE --target ${place}`)).trim();
  const sizeOf = async (id: string) => Number(await run(id, 'df --output=size -B1 /opt/gbrowse | tail -n 1'));
  const end = (id: string) => clientOf(cloud).send(new TerminateInstancesCommand({ InstanceIds: [id] }));

  /** As the manual's image has its data: a volume group over two volumes, smaller than these. Gives the snapshots. */
  async function oldSnapshots(): Promise<string[]> {
    const id = await launch(cloud, {
      BlockDeviceMappings: DEVICES.map(DeviceName => ({
        DeviceName,
        Ebs: { VolumeSize: 1, DeleteOnTermination: true },
      })),
    });
    await waitFor(id, 'ssh answers', async () => (await run(id, 'true')) === '');
    const { BlockDeviceMappings = [] } = await describeInstance(cloud, id);
    const volumes = DEVICES.map(
      device => BlockDeviceMappings.find(it => it.DeviceName === device)?.Ebs?.VolumeId ?? '',
    );
    const disks = "$(lsblk -dnpo NAME,SERIAL | awk '$2 ~ /^vol/ && $2 !~ /^vol0f+$/ { print $1 }')";
    await run(
      id,
      `set -e; set -- ${disks}; [ $# = 2 ]
       for disk; do pvcreate -q --setphysicalvolumesize 128m "$disk"; done
       vgcreate -q volumes "$@"; lvcreate -q -Zn -Wn -l 100%FREE -n gbrowse volumes
       mkfs.ext4 -q /dev/volumes/gbrowse; mkdir -p /opt/gbrowse; mount /dev/volumes/gbrowse /opt/gbrowse
       mkdir /opt/gbrowse/databases; echo old > /opt/gbrowse/databases/old.gff3`,
    );
    assert.ok((await sizeOf(id)) < 0.3 * GIB);
    await run(id, 'umount /opt/gbrowse; vgchange -q -an volumes; sync');
    const snapshots: string[] = [];
    for (const VolumeId of volumes) {
      const { SnapshotId = '' } = await clientOf(cloud).send(new CreateSnapshotCommand({ VolumeId }));
      snapshots.push(SnapshotId);
    }
    await end(id);
    return snapshots;
  }

  test('sync makes it larger, copies onto it, and takes its snapshots; a slave has these data and answers', async t => {
    const start = Date.now();
    const phase = (what: string) => t.diagnostic(`${Math.round((Date.now() - start) / 1000)} s: ${what}`);
    const master = createSyncMaster(cloud, 'lvm', { databases: path.join(cloud.directory, 'databases') });
    t.after(() => master.remove());
    const data = randomBytes(8 * 1024 ** 2);
    writeFileSync(path.join(master.databases, 'new.bw'), data);
    const snapshots = await oldSnapshots();
    phase('the old snapshots are there');

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
    phase('sync has ended');

    const group = await createGroup(
      cloud,
      'slaves',
      PORTS.map(port => ({ port, from: `${cloud.master.address}/32` })),
    );
    const id = await launch(cloud, {
      UserData: base64(
        userData({ ports: PORTS, orphanTimeout: 3_600_000, volumes: 2, databases: master.databases }),
      ),
      SecurityGroupIds: [group],
      BlockDeviceMappings: made.map((SnapshotId, at) => ({
        DeviceName: DEVICES[at],
        Ebs: { SnapshotId, DeleteOnTermination: true },
      })),
    });
    await waitFor(id, 'the slave answers', async () => {
      return (await probe((await cloud.host(id)).address, PORTS)) === 'answered';
    });
    phase('the slave answers');
    assert.equal(await sourceOf(id, '/opt/gbrowse'), '/dev/mapper/volumes-gbrowse');
    assert.equal(await sourceOf(id, master.databases), '/dev/mapper/volumes-gbrowse[/databases]');
    assert.equal(await run(id, `ls ${master.databases}`), 'new.bw\n');
    const sum = (await run(id, `sha256sum < ${master.databases}/new.bw`)).split(' ')[0];
    assert.equal(sum, hash('sha256', data));
    assert.equal(await run(id, "pvs --noheadings -o vg_name | sort | uniq -c | tr -s ' '"), ' 2 volumes\n');
    const size = await sizeOf(id);
    assert.ok(size > 1.7 * GIB, `${size} bytes`);
    t.diagnostic(await run(id, 'cat /var/log/gbrowse-aws-balancer-slave.log'));
  });
});
