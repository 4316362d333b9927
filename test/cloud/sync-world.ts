import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { follow, type Running } from '../e2e/world.ts';
import type { Ec2Account } from '../peers/ec2-stand-in.ts';
import type { Cloud } from './cloud.ts';
import { cloudMissing } from './requirements.ts';

/** A master with data of its own, in an account. */
export type SyncMaster = {
  readonly account: Ec2Account;
  readonly directory: string;
  readonly confFile: string;
  /** GBrowse's databases directory. */
  readonly databases: string;
  readonly environment: NodeJS.ProcessEnv;
  conf(): string;
  /** The data snapshots that the configuration names. */
  snapshots(): readonly string[];
  /** Starts the program with these words and `--conf`. */
  start(...words: readonly string[]): Running;
  /** Runs it to its end; gives status and output. */
  run(...words: readonly string[]): Promise<{ readonly status: number | string; readonly output: string }>;
  remove(): void;
};

/** The program from its sources: these tests are about what it does, test/e2e about the executable. */
const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

/** What `describe(…, { skip })` takes: why there can be no such master here, or false. */
export function syncMissing(): string | false {
  const missing = [
    ['acl', '/usr/bin/setfacl'],
    ['attr', '/usr/bin/setfattr'],
  ].flatMap(([name = '', file = '']) => (existsSync(file) ? [] : [name]));
  return cloudMissing() || (missing.length > 0 && `not installed: ${missing.join(' ')}`);
}

/** Makes one. `name` is the master's, and its access key's. */
export function createSyncMaster(
  cloud: Cloud,
  name: string,
  options: { readonly databases?: string; readonly imageId?: string } = {},
): SyncMaster {
  const directory = mkdtempSync(path.join(tmpdir(), `sync-${name}-`));
  const confFile = path.join(directory, 'aws_balancer.conf');
  const databases = options.databases ?? path.join(directory, 'databases');
  mkdirSync(databases, { recursive: true });
  writeFileSync(
    confFile,
    `# The balancer of ${name}.\r
[LOAD TABLE]
0.1 0 1

[MASTER]
poll_interval     = 0.5
server_status_url = http://localhost/server-status
name              = ${name}
external_ip       = ${cloud.master.address}
databases         = ${databases}
state_directory   = ${path.join(directory, 'state')}

[SLAVE]
instance_type  = m5.large
spot_bid       = 0.10
ports          = 8101
region         = us-west-2
image_id       = ${options.imageId ?? 'GBrowse-2.54'}   # part of a name: \xe9t\xe9
data_snapshots =                # written by sync
`,
    { encoding: 'latin1', mode: 0o640 },
  );
  const account = cloud.account(name);
  const environment = {
    PATH: process.env.PATH,
    ...cloud.environment,
    AWS_ACCESS_KEY_ID: account.accessKey,
  };
  const conf = () => readFileSync(confFile, 'latin1');
  const children: ChildProcess[] = [];
  function start(...words: readonly string[]): Running {
    const child = spawn(process.execPath, [MAIN, ...words, '--conf', confFile], {
      env: environment,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return follow(child);
  }
  return {
    account,
    directory,
    confFile,
    databases,
    environment,
    conf,
    start,
    snapshots: () => (/^data_snapshots = (.*?) *#/m.exec(conf())?.[1] ?? '').split(' ').filter(Boolean),
    async run(...words) {
      const running = start(...words);
      const status = await running.ended(300_000);
      return { status, output: running.stdout() + running.stderr() };
    },
    remove() {
      for (const child of children) child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A shell command that says all there is to know of a tree: types, modes, owners, times, links, which names are one file,
 * holes, ACLs, extended attributes, contents.
 */
export function describeTree(directory: string): string {
  return `set -e; cd '${directory}'; export LC_ALL=C
{
  find . -type d -printf '%P|%m|%U:%G|%T@\\0' | sort -z
  find . ! -type d ! -type l -printf '%P|%y|%m|%U:%G|%T@|%s|%n\\0' | sort -z
  find . -type l -printf '%P|%U:%G|%l|%T@\\0' | sort -z
  find . -type f -links +1 -printf '%i %P\\0' | sort -z | awk -v RS='\\0' '{ id = $1; sub(/^[0-9]+ /, ""); same[id] = same[id] "|" $0 } END { for (id in same) print same[id] }' | sort
  find . -type f -print0 | sort -z | xargs -0 sha256sum -z
  getfacl -R -n -s -P . | sort
  getfattr -R -h -d -m '^user' . 2>/dev/null | sort
} | tr '\\0' '\\n'`;
}

/** Runs a shell command on the master. */
export function onMaster(command: string): string {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', command], {
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

/** The first line that two descriptions do not have in common, for a message that can be read. */
export function firstDifference(expected: string, found: string): string | undefined {
  const [left, right] = [expected, found].map(text => new Set(text.split('\n')));
  const missing = [...(left ?? [])].find(line => !right?.has(line));
  const surplus = [...(right ?? [])].find(line => !left?.has(line));
  return missing === undefined && surplus === undefined
    ? undefined
    : `missing ${JSON.stringify(missing)}, surplus ${JSON.stringify(surplus)}`;
}
