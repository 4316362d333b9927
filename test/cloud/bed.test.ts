import './enter.ts';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateFleetCommand,
  CreateLaunchTemplateCommand,
  CreateSnapshotsCommand,
  DeleteSecurityGroupCommand,
  DescribeSnapshotsCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  DescribeVpcsCommand,
  GetConsoleOutputCommand,
  ModifyVolumeCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { until } from '../e2e/world.ts';
import { type Cloud, startCloud } from './cloud.ts';
import {
  allow,
  base64,
  booted,
  clientOf,
  createGroup,
  createLogin,
  describeInstance,
  inState,
  type Login,
  launch,
} from './instances.ts';
import { cloudMissing, INSIDE } from './requirements.ts';

const TOKEN = `curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token`;
const METADATA = `curl -s -H "X-aws-ec2-metadata-token: $(${TOKEN})" http://169.254.169.254/latest`;

describe('a cloud in a box', { skip: cloudMissing() }, () => {
  let cloud: Cloud;
  let login: Login;
  let ssh: string;
  before(async () => {
    cloud = await startCloud();
    login = await createLogin(cloud, 'test');
    ssh = await createGroup(cloud, 'ssh', [{ port: 22, from: `${cloud.master.address}/32` }]);
  });
  after(async () => {
    login?.remove();
    await cloud?.stop();
  });

  /** Whether a connection is taken, seen from the master. */
  function reaches(host: string, port: number): Promise<boolean> {
    return new Promise(resolve => {
      const socket = connect({ host, port, timeout: 700 });
      const decide = (reached: boolean) => {
        socket.destroy();
        resolve(reached);
      };
      socket.on('connect', () => decide(true));
      socket.on('timeout', () => decide(false));
      socket.on('error', () => decide(false));
    });
  }

  test('an instance is a host: it lets in the owner of its key pair, with the host key of its user-data', async () => {
    const id = await launch(cloud, {
      KeyName: login.keyName,
      SecurityGroupIds: [ssh],
      UserData: base64(
        `${login.userData}runcmd: [[sh, -c, 'echo one > /root/one'], 'hostname > /root/two']\n`,
      ),
    });
    const { PrivateIpAddress = '', PublicIpAddress = '' } = await booted(cloud, id);
    const name = `ip-${PrivateIpAddress.replaceAll('.', '-')}`;
    for (const address of [PrivateIpAddress, PublicIpAddress]) {
      assert.equal(await login.ssh(address, 'id -un; hostname'), `admin\n${name}\n`);
    }
    assert.equal(await login.ssh(PrivateIpAddress, 'sudo cat /root/one /root/two'), `one\n${name}\n`);
    const { Output = '' } = await clientOf(cloud).send(new GetConsoleOutputCommand({ InstanceId: id }));
    const [, key = ''] = /ed25519_public: (\S+ \S+)/.exec(login.userData) ?? [];
    assert.ok(Buffer.from(Output, 'base64').toString().includes(key));
  });

  test('its user-data is run by root, once, a script as well as each part of an archive', async () => {
    const archive = [
      'Content-Type: multipart/mixed; boundary="X"\nMIME-Version: 1.0\n',
      '--X\nContent-Type: text/x-shellscript\n\n#!/bin/sh\nid -u >>/root/ran\n',
      '--X\nContent-Type: text/cloud-config\n\n#cloud-config\nwrite_files:\n- {path: /etc/it, content: there, permissions: "0600"}\n',
      '--X--\n',
    ].join('\n');
    const id = await launch(cloud, { UserData: base64(archive) });
    await booted(cloud, id);
    assert.equal(await cloud.run(id, 'cat /root/ran; cat /etc/it; stat -c %a /etc/it'), '0\nthere600\n');
  });

  test('it sees nothing of what is this machine’s own, and changes nothing of it', async () => {
    const id = await launch(cloud);
    await booted(cloud, id);
    const marker = `/usr/local/lib/${id}`;
    await cloud.run(id, `touch ${marker} && ! test -e ${path.resolve(import.meta.dirname)}`);
    assert.equal(existsSync(marker), false);
    await assert.rejects(cloud.run(id, 'echo 1 >/proc/sys/kernel/panic'), /Read-only/);
  });

  test('its metadata want a token where it is required, and know the instance', async () => {
    const id = await launch(cloud, {
      MetadataOptions: { HttpTokens: 'required' },
      UserData: base64('#!/bin/sh\n'),
    });
    const { SubnetId = '' } = await booted(cloud, id);
    const status = `curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id`;
    assert.equal(await cloud.run(id, status), '401');
    assert.equal(await cloud.run(id, `${METADATA}/meta-data/instance-id`), id);
    assert.match(await cloud.run(id, `${METADATA}/meta-data/`), /^instance-type$/m);
    const card = '/meta-data/network/interfaces/macs/';
    assert.equal(await cloud.run(id, `${METADATA}${card}$(${METADATA}/meta-data/mac)/subnet-id`), SubnetId);
    assert.equal(await cloud.run(id, `${METADATA}/user-data`), '#!/bin/sh\n');
    const master = spawnSync('sh', ['-c', `${METADATA}/meta-data/instance-id`], { encoding: 'utf8' });
    assert.equal(master.stdout, cloud.master.instance);
  });

  test('security groups allow their sources at once, and nobody else', async () => {
    const inner = await createGroup(cloud, 'inner', [{ port: 8101, from: ssh }]);
    const listen = base64('#!/bin/sh\npython3 -m http.server 8101 >/dev/null 2>&1 &\n');
    const [server, friend, stranger] = await Promise.all([
      launch(cloud, { SecurityGroupIds: [inner], UserData: listen }),
      launch(cloud, { SecurityGroupIds: [ssh] }),
      launch(cloud),
    ]);
    const [{ PrivateIpAddress = '' }] = await Promise.all([
      booted(cloud, server),
      booted(cloud, friend),
      booted(cloud, stranger),
    ]);
    const ask = `curl -s -o /dev/null --max-time 1 http://${PrivateIpAddress}:8101/`;
    await cloud.run(server, 'curl -s -o /dev/null --retry 50 --retry-connrefused http://127.0.0.1:8101/');
    await cloud.run(friend, ask);
    await assert.rejects(cloud.run(stranger, ask));
    assert.equal(await reaches(PrivateIpAddress, 8101), false);
    await allow(cloud, inner, 8101, `${cloud.master.address}/32`);
    assert.equal(await reaches(PrivateIpAddress, 8101), true);
    await cloud.network(server, 'dark');
    assert.equal(await reaches(PrivateIpAddress, 8101), false);
    await cloud.network(server, 'up');
    assert.equal(await reaches(PrivateIpAddress, 8101), true);

    const inUse = clientOf(cloud).send(new DeleteSecurityGroupCommand({ GroupId: inner }));
    await assert.rejects(inUse, { name: 'DependencyViolation' });
    await clientOf(cloud).send(new TerminateInstancesCommand({ InstanceIds: [server] }));
    await inState(cloud, server, 'terminated');
    await clientOf(cloud).send(new DeleteSecurityGroupCommand({ GroupId: inner }));
  });

  test('no packet gets out', async () => {
    const links = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' }).stdout;
    assert.doesNotMatch(links, /\b(eth|ens|enp|wlan)\d/);
    assert.equal(await reaches('192.0.2.1', 80), false);
  });

  test('volumes hold data, in the instance, in a snapshot and in a larger volume made from it', async () => {
    const client = clientOf(cloud);
    const first = await launch(cloud, {
      BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { VolumeSize: 1, DeleteOnTermination: true } }],
    });
    const { BlockDeviceMappings = [] } = await booted(cloud, first);
    const volume = BlockDeviceMappings.find(it => it.DeviceName === '/dev/sdg')?.Ebs?.VolumeId ?? '';
    const link = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume.replace('-', '')}`;
    await cloud.run(first, `mkfs.xfs -q ${link} && mount ${link} /mnt && echo data >/mnt/file && sync`);

    await client.send(new ModifyVolumeCommand({ VolumeId: volume, Size: 2 }));
    await until('it has grown', async () => {
      const answer = await client.send(new DescribeVolumesModificationsCommand({ VolumeIds: [volume] }));
      return /optimizing|completed/.test(answer.VolumesModifications?.[0]?.ModificationState ?? '');
    });
    await cloud.run(first, 'xfs_growfs /mnt');
    assert.equal(await cloud.run(first, `blockdev --getsize64 /dev/sdg`), `${2 ** 31}\n`);

    const { Snapshots = [] } = await client.send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: first, ExcludeBootVolume: true },
      }),
    );
    const [{ SnapshotId = '', State } = {}, ...others] = Snapshots;
    assert.deepEqual([State, others], ['pending', []]);
    await cloud.run(first, 'echo later >/mnt/file && sync');
    await until('the snapshot is complete', async () => {
      const answer = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
      return answer.Snapshots?.[0]?.State === 'completed';
    });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [first] }));
    await inState(cloud, first, 'terminated');
    await assert.rejects(client.send(new DescribeVolumesCommand({ VolumeIds: [volume] })), {
      name: 'InvalidVolume.NotFound',
    });

    const small = { DeviceName: '/dev/sdh', Ebs: { SnapshotId, VolumeSize: 1 } };
    await assert.rejects(launch(cloud, { BlockDeviceMappings: [small] }), {
      name: 'InvalidBlockDeviceMapping',
    });
    const second = await launch(cloud, {
      BlockDeviceMappings: [{ DeviceName: '/dev/sdh', Ebs: { SnapshotId, VolumeSize: 3, Encrypted: true } }],
    });
    await booted(cloud, second);
    assert.match(await cloud.run(second, 'lsblk -rnpo NAME,FSTYPE'), /^\/dev\/\S+ xfs$/m);
    const size = 'mount /dev/sdh /mnt && cat /mnt/file && blockdev --getsize64 /dev/sdh';
    assert.equal(await cloud.run(second, size), `data\n${3 * 2 ** 30}\n`);
  });

  test('one that powers itself off is terminated where it asked for that, else stopped', async () => {
    const [ends, stops] = await Promise.all([
      launch(cloud, {
        InstanceInitiatedShutdownBehavior: 'terminate',
        UserData: base64('#!/bin/sh\npoweroff\n'),
      }),
      launch(cloud, { UserData: base64('#!/bin/sh\nshutdown -h now\n') }),
    ]);
    await inState(cloud, ends, 'terminated');
    await inState(cloud, stops, 'stopped');
  });

  test('a fleet takes what pools have room for, says why not of the others, and is launched once for a token', async () => {
    const client = clientOf(cloud);
    await cloud.pool('m5.large', { price: 0.01, capacity: 0 });
    await cloud.pool('m5.xlarge', { price: 0.5 });
    const { LaunchTemplate } = await client.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: 'bed-fleet',
        LaunchTemplateData: {
          ImageId: cloud.image,
          SecurityGroupIds: [ssh],
          KeyName: login.keyName,
          TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'from', Value: 'template' }] }],
        },
      }),
    );
    const { Vpcs } = await client.send(new DescribeVpcsCommand({}));
    assert.equal(Vpcs?.[0]?.CidrBlock, '172.31.0.0/16');
    const { SubnetId } = await describeInstance(cloud, cloud.master.instance ?? '');
    const order = new CreateFleetCommand({
      Type: 'instant',
      ClientToken: 'once',
      TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: 'spot' },
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId, Version: '1' },
          Overrides: ['m5.large', 'm5.xlarge', 'm5a.large'].map(type => ({
            InstanceType: type as 'm5.large',
            SubnetId,
            MaxPrice: '0.10',
          })),
        },
      ],
    });
    const { Errors = [], Instances = [] } = await client.send(order);
    assert.deepEqual(Errors.map(it => it.ErrorCode).toSorted(), ['InsufficientInstanceCapacity']);
    const ids = Instances.flatMap(it => it.InstanceIds ?? []);
    assert.deepEqual([ids.length, Instances[0]?.InstanceType], [2, 'm5a.large']);
    const again = await client.send(order);
    assert.deepEqual(
      again.Instances?.flatMap(it => it.InstanceIds ?? []),
      ids,
    );
    const [first = ''] = ids;
    const { Tags, KeyName, InstanceLifecycle } = await booted(cloud, first);
    assert.deepEqual(
      [Tags?.find(it => it.Key === 'from')?.Value, KeyName, InstanceLifecycle],
      ['template', login.keyName, 'spot'],
    );

    await cloud.interrupt(first, 2);
    const statusOf = async () => {
      const answer = await client.send(new DescribeSpotInstanceRequestsCommand({}));
      return answer.SpotInstanceRequests?.find(it => it.InstanceId === first)?.Status?.Code;
    };
    assert.equal(await statusOf(), 'marked-for-termination');
    assert.match(await cloud.run(first, `${METADATA}/meta-data/spot/instance-action`), /"terminate"/);
    await inState(cloud, first, 'terminated');
    assert.equal(await statusOf(), 'instance-terminated-no-capacity');
    await client.send(new TerminateInstancesCommand({ InstanceIds: ids }));
    await cloud.pool('m5.large', { price: 0.01, capacity: 1000 });
  });

  test('a new instance is not described for a moment where EC2 is slow to know it', async () => {
    await cloud.settings({ lag: 1.5 });
    const id = await launch(cloud);
    await assert.rejects(describeInstance(cloud, id), { name: 'InvalidInstanceID.NotFound' });
    await until(`${id} is shown`, () => describeInstance(cloud, id).catch(() => undefined));
    await cloud.settings({ lag: 0 });
  });

  test('calls are refused, hang or break as a test orders, are throttled as EC2 does, and are all on record', async () => {
    const { accessKey } = cloud.account('MASTER');
    assert.equal(accessKey, cloud.environment.AWS_ACCESS_KEY_ID);
    const { calls, fault } = cloud.account('MASTER');
    await fault({ action: 'DescribeVpcs', code: 'InternalError', status: 500 });
    await assert.rejects(clientOf(cloud).send(new DescribeVpcsCommand({})), { name: 'InternalError' });
    await fault({ action: 'DescribeVpcs', drop: true });
    await assert.rejects(clientOf(cloud).send(new DescribeVpcsCommand({})));
    await clientOf(cloud).send(new DescribeVpcsCommand({}));
    assert.deepEqual(
      (await calls('DescribeVpcs')).slice(-3).map(it => it.code),
      ['InternalError', 'no answer', null],
    );
    const trial = new RunInstancesCommand({
      ImageId: cloud.image,
      InstanceType: 'm5.large',
      MinCount: 1,
      MaxCount: 1,
      DryRun: true,
    });
    await sleep(2_600);
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, () =>
        clientOf(cloud)
          .send(trial)
          .catch((error: unknown) => (error instanceof Error ? error.name : '')),
      ),
    );
    assert.equal(outcomes[0], 'DryRunOperation');
    assert.ok(outcomes.includes('RequestLimitExceeded'), outcomes.join());
  });
});

describe('clouds in boxes', { skip: cloudMissing() }, () => {
  const command = [
    '-e',
    'process.stdout.write(process.env.AWS_ENDPOINT_URL_EC2); setInterval(() => {}, 1000)',
  ];

  /** `npm run cloud -- COMMAND`, from outside of this test's namespaces as far as processes and networks go. */
  async function startBox() {
    const { [INSIDE]: _, ...env } = process.env;
    const main = path.join(import.meta.dirname, 'main.ts');
    const box = spawn(process.execPath, [main, process.execPath, ...command], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    box.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until('the box is up', () => said.startsWith('http'));
    return box;
  }

  test('two run side by side, and one that is killed leaves no process and no device', async t => {
    // Other tests have clouds as well, at the same time.
    const place = mkdtempSync(path.join(tmpdir(), 'boxes-'));
    const { TMPDIR } = process.env;
    process.env.TMPDIR = place;
    t.after(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      rmSync(place, { recursive: true, force: true });
    });
    const devices = () =>
      spawnSync('losetup', ['--list'], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter(it => it.includes(place)).length;
    const boxes = await Promise.all([startBox(), startBox()]);
    assert.equal(devices(), 2);
    assert.equal(readdirSync(place).length, 2);
    for (const box of boxes) box.kill('SIGKILL');
    await until('their devices are free', () => devices() === 0);
    const descendants = spawnSync('pgrep', ['-f', place], { encoding: 'utf8' });
    assert.equal(descendants.stdout, '');
    const cloud = await startCloud({ outside: true });
    await cloud.stop();
    assert.deepEqual(readdirSync(place), []);
    assert.equal(readFileSync('/proc/self/mounts', 'utf8').includes(place), false);
  });

  test('a command ends with its own status', () => {
    const main = path.join(import.meta.dirname, 'main.ts');
    const { [INSIDE]: _, ...env } = process.env;
    const { status } = spawnSync(process.execPath, [main, '--outside', 'sh', '-c', 'exit 7'], { env });
    assert.equal(status, 7);
  });
});
