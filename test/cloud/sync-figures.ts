/**
 * How long sync takes, beside a bare rsync of the same tree to the same host: `node test/cloud/sync-figures.ts [FILES [ROUNDS]]`.
 * As root; prints a table.
 */
import './enter.ts';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AuthorizeSecurityGroupIngressCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { startCloud } from './cloud.ts';
import { base64, booted, clientOf, createGroup, launch } from './instances.ts';
import { createSyncMaster, type SyncMaster } from './sync-world.ts';

const FILES = Number(process.argv[2] ?? 50_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const cloud = await startCloud();
const master = createSyncMaster(cloud, 'master');
const keys = mkdtempSync(path.join(tmpdir(), 'figures-'));
const file = (name: string) => path.join(keys, name);

/** Small files and a few large ones, as a genome browser has. */
function fill(): void {
  for (let at = 0; at < FILES; at++) {
    const directory = path.join(master.databases, String(at % 100));
    if (at < 100) mkdirSync(directory);
    writeFileSync(
      path.join(directory, `${at}.gff3`),
      `##gff-version 3\n${'chr1\tx\tgene\t1\t2\n'.repeat(at % 40)}`,
    );
  }
  for (const name of ['a.bw', 'b.bw', 'c.bam'])
    execFileSync('sh', ['-c', `head -c 500M /dev/urandom > '${master.databases}/${name}'`]);
}

/** A host with a volume, and the shortest rsync that copies all there is. */
async function bareHost(name: string) {
  for (const key of ['user', 'host']) {
    rmSync(file(key), { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  }
  const group = await createGroup(cloud, name);
  await clientOf(cloud).send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: `${cloud.master.address}/32` }] },
      ],
    }),
  );
  const read = (key: string) => readFileSync(file(key), 'utf8');
  const instance = await launch(cloud, {
    SecurityGroupIds: [group],
    UserData: base64(
      `#!/bin/sh\ncat > /etc/ssh/ssh_host_ed25519_key <<'E'\n${read('host')}E\necho '${read('user.pub').trim()}' >> /home/admin/.ssh/authorized_keys\n`,
    ),
    BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { VolumeSize: 4, DeleteOnTermination: true } }],
  });
  const { PrivateIpAddress = '' } = await booted(cloud, instance);
  await cloud.run(
    instance,
    'mkfs.ext4 -q -i 8192 /dev/sdg && mkdir /data && mount -o noatime /dev/sdg /data',
  );
  writeFileSync(file('known'), `${PrivateIpAddress} ${read('host.pub')}`);
  const ssh = `ssh -F none -i ${file('user')} -o UserKnownHostsFile=${file('known')}`;
  function copy(): number {
    const start = performance.now();
    execFileSync('rsync', [
      '-aHAX',
      '-e',
      ssh,
      '--rsync-path=sudo rsync',
      `${master.databases}/`,
      `admin@${PrivateIpAddress}:/data/`,
    ]);
    return (performance.now() - start) / 1000;
  }
  return {
    copy,
    end: () => clientOf(cloud).send(new TerminateInstancesCommand({ InstanceIds: [instance] })),
  };
}

/** The time of the copy by a sync's own table (seconds), and the table. */
async function syncOnce(master: SyncMaster): Promise<{ readonly copy: number; readonly table: string }> {
  const { status, output } = await master.run('sync');
  if (status !== 0) throw new Error(output);
  const [, minutes = '0', seconds = '0'] = /databases: copy +(?:(\d+) min )?([\d.]+) s/.exec(output) ?? [];
  return { copy: Number(minutes) * 60 + Number(seconds), table: output.slice(output.indexOf('Time taken')) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Neither of the two is to wait until what the other has written is on the disk: file system, volume, store. */
function rest(): void {
  for (let layer = 0; layer < 4; layer++) execFileSync('sync');
}

try {
  fill();
  let table = '';
  const found = {
    first: [] as number[],
    again: [] as number[],
    bareFirst: [] as number[],
    bareAgain: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    // Another master, so that nothing is there that it could go on from.
    const other =
      round === 0 ? master : createSyncMaster(cloud, `master${round}`, { databases: master.databases });
    const turns = [
      async () => {
        const bare = await bareHost(`bare ${round}`);
        rest();
        found.bareFirst.push(bare.copy());
        rest();
        found.bareAgain.push(bare.copy());
        await bare.end();
      },
      async () => {
        rest();
        const first = await syncOnce(other);
        found.first.push(first.copy);
        table = first.table;
        rest();
        found.again.push((await syncOnce(other)).copy);
      },
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    if (other !== master) other.remove();
  }
  process.stdout.write(`${table}\n`);
  for (const [what, own, other] of [
    ['first copy', found.first, found.bareFirst],
    ['no change', found.again, found.bareAgain],
  ] as const) {
    const [a, b] = [median(own), median(other)];
    process.stdout.write(
      `${what}: sync ${a.toFixed(1)} s (${own.map(it => it.toFixed(1)).join(' ')}), bare rsync ${b.toFixed(1)} s (${other.map(it => it.toFixed(1)).join(' ')}): ${(a / b).toFixed(2)} times\n`,
    );
  }
} finally {
  master.remove();
  rmSync(keys, { recursive: true, force: true });
  await cloud.stop();
}
process.exit(0);
