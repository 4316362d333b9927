import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeInstancesCommand,
  EC2Client,
  ImportKeyPairCommand,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { until } from '../e2e/world.ts';
import type { Cloud } from './cloud.ts';

/** The SDK as any client of the account has it. */
export function clientOf(cloud: Cloud): EC2Client {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION = '' } = cloud.environment;
  return new EC2Client({
    endpoint: cloud.endpoint,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    maxAttempts: 1,
  });
}

/** Launches one with RunInstances, on demand. */
export async function launch(cloud: Cloud, more: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const { Instances } = await clientOf(cloud).send(
    new RunInstancesCommand({
      ImageId: cloud.image,
      InstanceType: 'm5.large',
      MinCount: 1,
      MaxCount: 1,
      ...more,
    }),
  );
  return Instances?.[0]?.InstanceId ?? '';
}

export async function describeInstance(cloud: Cloud, id: string): Promise<Instance> {
  const answer = await clientOf(cloud).send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  const [found] = answer.Reservations?.[0]?.Instances ?? [];
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
}

export function inState(cloud: Cloud, id: string, state: string): Promise<Instance> {
  return until(`${id} is ${state}`, async () => {
    const instance = await describeInstance(cloud, id);
    return instance.State?.Name === state && instance;
  });
}

/** Waits until all scripts of its user-data have ended. */
export async function booted(cloud: Cloud, id: string): Promise<Instance> {
  const instance = await inState(cloud, id, 'running');
  await until(`${id} has booted`, () =>
    cloud.run(id, 'test -e /run/cloud/finished').then(
      () => true,
      () => false,
    ),
  );
  return instance;
}

/** A security group that lets in these: `22 from 10.0.0.1/32`, or from another group by its id. */
export async function createGroup(
  cloud: Cloud,
  name: string,
  rules: readonly { readonly port: number; readonly from: string }[] = [],
): Promise<string> {
  const client = clientOf(cloud);
  const { GroupId = '' } = await client.send(
    new CreateSecurityGroupCommand({ GroupName: name, Description: name }),
  );
  for (const { port, from } of rules) await allow(cloud, GroupId, port, from);
  return GroupId;
}

export async function allow(cloud: Cloud, group: string, port: number, from: string): Promise<void> {
  const source = from.startsWith('sg-')
    ? { UserIdGroupPairs: [{ GroupId: from }] }
    : { IpRanges: [{ CidrIp: from }] };
  await clientOf(cloud).send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, ...source }],
    }),
  );
}

export type Login = {
  readonly keyName: string;
  readonly privateKey: string;
  /** User-data that gives an instance a host key that we know. */
  readonly userData: string;
  /** Logs in as `admin`, only where the host key is the one that we gave. */
  ssh(address: string, command: string): Promise<string>;
  remove(): void;
};

/** A key pair in the account, a host key for instances, and ssh with both. */
export async function createLogin(cloud: Cloud, keyName: string): Promise<Login> {
  const directory = mkdtempSync(path.join(tmpdir(), 'login-'));
  const file = (name: string) => path.join(directory, name);
  for (const name of ['user', 'host']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file(name)]);
  }
  const text = (name: string) => readFileSync(file(name), 'utf8').trim();
  await clientOf(cloud).send(
    new ImportKeyPairCommand({ KeyName: keyName, PublicKeyMaterial: readFileSync(file('user.pub')) }),
  );
  const userData = [
    '#cloud-config',
    'ssh_keys:',
    '  ed25519_private: |',
    ...text('host')
      .split('\n')
      .map(line => `    ${line}`),
    `  ed25519_public: ${text('host.pub')}`,
    '',
  ].join('\n');

  async function ssh(address: string, command: string): Promise<string> {
    writeFileSync(file('known_hosts'), `${address} ${text('host.pub')}\n`);
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=10'];
    const words = [...options, `UserKnownHostsFile=${file('known_hosts')}`].flatMap(it => ['-o', it]);
    return await new Promise((resolve, reject) => {
      execFile(
        'ssh',
        ['-F', 'none', '-i', file('user'), ...words, `admin@${address}`, command],
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`ssh ${address}: ${stderr}`, { cause: error }));
        },
      );
    });
  }

  return {
    keyName,
    privateKey: readFileSync(file('user'), 'utf8'),
    userData,
    ssh,
    remove: () => rmSync(directory, { recursive: true }),
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
