import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  DescribeRouteTablesCommand,
  EC2Client,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2';
import { freePort } from './free-port.ts';

/** A `moto_server`: EC2's API over the wire, with the SDK's real requests and answers. */
export type Moto = {
  readonly endpoint: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The id of the account's own image `GBrowse-2.54`. */
  readonly image: string;
  stop(): Promise<void>;
};

/** The region that the image is in. */
export const REGION = 'us-west-2';

/**
 * Finds `moto_server` on PATH, or makes a Python environment with it in `dist/moto` (then PyPI must be reachable).
 *
 * @returns undefined, with the reason on stderr, where there is none and none can be made
 */
export function findMotoServer(): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    const file = path.join(directory, 'moto_server');
    if (existsSync(file)) return file;
  }
  const environment = path.resolve(import.meta.dirname, '../../dist/moto');
  const file = path.join(environment, 'bin/moto_server');
  if (existsSync(file)) return file;
  try {
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'pipe' });
    execFileSync(path.join(environment, 'bin/pip'), ['install', '--quiet', 'moto[server]==5.2.1'], {
      stdio: 'pipe',
      timeout: 300_000,
    });
    return file;
  } catch (error) {
    rmSync(environment, { recursive: true, force: true });
    process.stderr.write(`moto_server is not there and cannot be installed: ${reasonOf(error)}\n`);
    return undefined;
  }
}

/** What the command itself said, which names the cause; else that it could not be run, or was too slow. */
function reasonOf(error: unknown): string {
  // python3 -m venv says on stdout what is missing, pip on stderr.
  const said =
    error instanceof Error && 'stdout' in error && 'stderr' in error
      ? `${String(error.stdout)}${String(error.stderr)}`.trim()
      : '';
  return said === '' ? String(error) : `${String(error).split('\n')[0]}\n${said.replaceAll(/^/gm, '  ')}`;
}

/** Starts one on a port of its own, with an account that has one image of its own, `GBrowse-2.54`. */
export async function startMoto(server: string): Promise<Moto> {
  const port = await freePort();
  const child = spawn(server, ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const stopNow = () => child.kill('SIGKILL');
  process.once('exit', stopNow);
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint, child);
  await openToInternet(endpoint);
  return {
    endpoint,
    image: await registerImage(endpoint),
    environment: {
      AWS_ENDPOINT_URL_EC2: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
    },
    async stop() {
      process.removeListener('exit', stopNow);
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}

async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`moto_server ended with ${child.exitCode}`);
    try {
      await (await fetch(`${endpoint}/moto-api/data.json`)).text();
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error('moto_server does not answer');
}

/** As in a new account of AWS's: the default VPC has an internet gateway, and its main route table leads there. */
async function openToInternet(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
  const client = new EC2Client({ endpoint, region: REGION, credentials });
  const { InternetGateway } = await client.send(new CreateInternetGatewayCommand({}));
  const { RouteTables = [] } = await client.send(new DescribeRouteTablesCommand({}));
  const InternetGatewayId = InternetGateway?.InternetGatewayId;
  for (const { VpcId, RouteTableId } of RouteTables) {
    await client.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
    const route = { DestinationCidrBlock: '0.0.0.0/0', GatewayId: InternetGatewayId };
    await client.send(new CreateRouteCommand({ RouteTableId, ...route }));
  }
  client.destroy();
}

async function registerImage(endpoint: string): Promise<string> {
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
  const client = new EC2Client({ endpoint, region: REGION, credentials });
  const { ImageId } = await client.send(
    new RegisterImageCommand({
      Name: 'GBrowse-2.54',
      Architecture: 'x86_64',
      RootDeviceName: '/dev/xvda',
      VirtualizationType: 'hvm',
    }),
  );
  client.destroy();
  return ImageId ?? '';
}
