/**
 * A cloud in a box: EC2 whose instances are real hosts, for tests that run as root.
 *
 * import './enter.ts';                      // first of all: the test file goes on inside of namespaces of its own
 * import { type Cloud, startCloud } from './cloud.ts'; import { cloudMissing } from './requirements.ts';
 *
 * describe('…', { skip: cloudMissing() }, () => { before(async () => { cloud = await startCloud(); }); after(() =>
 * cloud.stop());
 *
 * Any client with `cloud.environment` talks to it: the SDK, the balancer, `sync`. An instance that is launched with
 * RunInstances or CreateFleet is a Debian (this machine's root under an overlay in memory) with an address of the VPC
 * and a public one, an sshd that lets in `admin` (with sudo) with the key pair it was launched with, and the user-data
 * run as root: scripts, #cloud-config (`ssh_keys`, `write_files`, `runcmd` …), MIME archives. Its volumes are real
 * disks, with the links of /dev/disk/by-id; snapshots hold their data; ModifyVolume grows them while they are mounted.
 * Its security groups block. With `image`, instances boot a Debian system of its own instead, with systemd and
 * cloud-init; they reboot, and keep their disk while they are stopped; CreateImage makes an image of it that the next
 * instance boots from. With `emulated` they are virtual machines under qemu, with a kernel of their own and NVMe volumes,
 * whose boot takes minutes (a minute with `quick`: a script of ours is process 1). `npm run cloud -- COMMAND` runs a command in such a place.
 */
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Ec2StandIn, REGION, startStandIn } from '../peers/ec2-stand-in.ts';

export type CloudOptions = {
  /** The master is not an EC2 instance: no metadata, and instances are reached by their public addresses. */
  readonly outside?: boolean;
  /** Directories of this machine that instances see empty. */
  readonly hide?: readonly string[];
  /** The root of a Debian system that instances boot, with systemd and cloud-init, instead of a copy of this machine. */
  readonly image?: string;
  /** The directory of an image that instances boot under qemu (test/boot/image.ts). */
  readonly emulated?: string;
  /** With `emulated`: process 1 is a script of ours, and a boot takes a minute. */
  readonly quick?: boolean;
};

export type Cloud = Ec2StandIn & {
  /** For whatever is to run on the master: endpoints, region, credentials. */
  readonly environment: NodeJS.ProcessEnv;
  /** The master as EC2 knows it. `address` is what instances see it come from. */
  readonly master: { readonly instance?: string; readonly address: string };
  readonly directory: string;
  /** An instance's host: the process id of its init, addresses. */
  host(instance: string): Promise<CloudHost>;
  /** Runs a shell command in an instance, as root; rejects when it fails. Gives its standard output. */
  run(instance: string, command: string): Promise<string>;
  /** `dark`: no packet gets in or out any more. `lossy`: three in ten are lost. */
  network(instance: string, state: 'up' | 'dark' | 'lossy'): Promise<void>;
  /** Takes back all faults that are still to come. */
  clearFaults(): Promise<void>;
  /** A completed snapshot with the content of a file (a filesystem image); gives its id. */
  importSnapshot(file: string, gib: number): Promise<string>;
};

export type CloudHost = {
  readonly pid: number;
  readonly address: string;
  readonly publicAddress: string | null;
};

const PREFIX = 'gbrowse-cloud-';
const METADATA = 'http://169.254.169.254';

/** Starts one, in a second or two. Only inside of `enter.ts`. It ends with this process, however that ends. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  removeLeftovers();
  const directory = mkdtempSync(path.join(tmpdir(), PREFIX));
  const lock = holdLock(directory);
  const script = path.join(import.meta.dirname, 'ec2/cloud.py');
  const { ec2, ready, control } = await startStandIn(script, [
    '--directory',
    directory,
    ...(options.outside === true ? ['--outside'] : []),
    ...(options.hide ?? []).flatMap(hidden => ['--hide', hidden]),
    ...(options.image === undefined ? [] : ['--image', options.image]),
    ...(options.emulated === undefined ? [] : ['--emulated', options.emulated]),
    ...(options.quick === true ? ['--quick'] : []),
  ]);
  const master = ready.master as Cloud['master'];
  const host = (instance: string) => control<CloudHost>('host', { instance });
  return {
    ...ec2,
    environment: {
      AWS_ENDPOINT_URL_EC2: ec2.endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'AKIAMASTER',
      AWS_SECRET_ACCESS_KEY: 'sesame/OPEN+sesame/OPEN+sesame/OPEN+0123',
      ...(options.outside === true
        ? { AWS_EC2_METADATA_DISABLED: 'true' }
        : { AWS_EC2_METADATA_SERVICE_ENDPOINT: METADATA }),
    },
    master,
    directory,
    host,
    async run(instance, command) {
      const { pid, address } = await host(instance);
      return await (options.emulated === undefined
        ? runInside(pid, command)
        : runByLogin(instance, address, path.join(options.emulated, 'key'), command));
    },
    network: (instance, state) => control('network', { instance, state }),
    clearFaults: () => control('clearFaults', {}),
    importSnapshot: async (file, gib) =>
      (await control<{ snapshot: string }>('import-snapshot', { file, gib })).snapshot,
    async stop() {
      await ec2.stop();
      closeSync(lock);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** `-r`: with the instance's own root, or an absolute link in it would lead into this machine. */
function runInside(pid: number, command: string): Promise<string> {
  const namespaces = ['-t', String(pid), '-m', '-p', '-n', '-u', '-i', '-r', '-w'];
  return run('nsenter', [...namespaces, 'sh', '-c', command], command);
}

/** From its own link, past its security groups. */
function runByLogin(instance: string, address: string, key: string, command: string): Promise<string> {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'ConnectTimeout=10',
    'LogLevel=ERROR',
  ];
  const ssh = [
    'ssh',
    '-F',
    'none',
    '-i',
    key,
    ...options.flatMap(it => ['-o', it]),
    `root@${address}`,
    command,
  ];
  return run('ip', ['netns', 'exec', instance, ...ssh], command);
}

function run(program: string, args: readonly string[], command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command}: ${stderr}`, { cause: error }));
    });
  });
}

/** The lock shows other clouds that this one lives; the kernel lets go of it with this process. */
function holdLock(directory: string): number {
  const lock = openSync(path.join(directory, 'lock'), 'w');
  execFileSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'inherit', lock] });
  return lock;
}

/** Of clouds that were killed only their directories are left: all else went with their namespaces. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter(it => it.startsWith(PREFIX))) {
    const directory = path.join(tmpdir(), name);
    try {
      execFileSync('flock', ['--nonblock', path.join(directory, 'lock'), 'true'], { stdio: 'ignore' });
    } catch {
      continue;
    }
    rmSync(directory, { recursive: true, force: true });
  }
}
