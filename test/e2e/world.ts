import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Ec2Account, Ec2Instance, Ec2StandIn } from '../peers/ec2-stand-in.ts';
import { until } from '../peers/until.ts';

export { until };

/** The executable as users get it. */
export const PROGRAM = path.resolve(import.meta.dirname, '../../dist/gbrowse-aws-balancer');

/** The secret key of every master here; wherever it shows, it has leaked. */
export const SECRET = 'sesame/OPEN+sesame/OPEN+sesame/OPEN+0123';

const PATIENCE = 300_000;

/** A process that was started from the executable. */
export type Running = {
  readonly pid: number;
  /** All that it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until stderr has it. */
  said(pattern: RegExp): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Waits for the end: the exit status, or the signal. */
  ended(patience?: number): Promise<number | NodeJS.Signals>;
};

/** Runs the executable with these words. */
export function run(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  options: { cwd?: string } = {},
): Running {
  assert.ok(existsSync(PROGRAM), `${PROGRAM} is not there: npm run build`);
  return follow(spawn(PROGRAM, words, { env, cwd: options.cwd ?? '/', stdio: ['ignore', 'pipe', 'pipe'] }));
}

export function follow(child: ChildProcess): Running {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  }
  const end = once(child, 'close');
  const { pid = 0 } = child;
  return {
    pid,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async said(pattern) {
      await until(`it said ${pattern}`, () => pattern.test(output.stderr) || child.exitCode !== null);
      assert.match(output.stderr, pattern);
    },
    signal: signal => void process.kill(pid, signal),
    async ended(patience = PATIENCE) {
      const limit = AbortSignal.timeout(patience);
      const [status, signal] = await Promise.race([
        end,
        once(limit, 'abort').then(() => assert.fail('the process does not end')),
      ]);
      return status ?? signal;
    },
  };
}

/** A machine with GBrowse: configuration, farm file, environment. */
export type Master = {
  readonly account: Ec2Account;
  readonly directory: string;
  readonly confFile: string;
  readonly farmFile: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Changes options of the configuration file (undefined: blank); one that is not there yet comes into [MASTER]. */
  configure(options: Readonly<Record<string, string | undefined>>): void;
  /** Starts the balancer in the foreground. */
  start(...words: readonly string[]): Running;
  run(words: readonly string[], env?: NodeJS.ProcessEnv): Running;
  /** Runs a command to its successful end; gives what it printed. */
  done(...words: readonly string[]): Promise<string>;
  /** The slaves that the farm file lists. */
  farm(): readonly string[];
  /** Every content that the farm file has had, with its time (wall clock, ms). */
  history(): readonly FarmChange[];
  /** Waits until the farm lists so many slaves, and gives the instances. */
  serving(count: number): Promise<readonly Ec2Instance[]>;
  /** Process ids of all that was started here and still runs. */
  processes(): readonly number[];
};

export type FarmChange = { readonly at: number; readonly slaves: readonly string[] };

export type MasterOptions = {
  readonly ec2: Ec2StandIn;
  /** Value of the ownership tag; each test has its own. */
  readonly name: string;
  readonly statusUrl: string;
  readonly options?: Readonly<Record<string, string | undefined>>;
  /** Instead of the short one. */
  readonly conf?: string;
};

const SHORT_CONF = `[LOAD TABLE]
#req/s  min max
1       1   2
5       2   3

[MASTER]
external_ip       = 192.0.2.1
poll_interval     = 0.03           # minutes: 1.8 seconds
reload_command    = none
drain_time        = 2

[SLAVE]
instance_type     = m5.large
spot_bid          = 0.10
ports             = 8101
region            = us-west-2
image_id          = GBrowse-2.54
data_snapshots    =
availability_zone =
subnet            =
security_group    =
budget            =
`;

/** Sets one up in a directory of its own; at the end of the test nothing is left of it. */
export function createMaster(t: Pick<TestContext, 'after' | 'diagnostic'>, settings: MasterOptions): Master {
  const { ec2, name, statusUrl } = settings;
  const directory = mkdtempSync(path.join(tmpdir(), 'e2e-'));
  chmodSync(directory, 0o755);
  const confFile = path.join(directory, 'aws_balancer.conf');
  const farmFile = path.join(directory, 'renderfarm.conf');
  writeFileSync(confFile, settings.conf ?? SHORT_CONF);
  writeFileSync(farmFile, '[GENERAL]\nrenderfarm = 0\nremote renderer =\n');
  const account = ec2.account(name);
  const running: Running[] = [];
  const environment = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: directory,
    // Marks every process that comes of it.
    E2E_DIRECTORY: directory,
    AWS_ENDPOINT_URL_EC2: ec2.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: account.accessKey,
    AWS_SECRET_ACCESS_KEY: SECRET,
  };

  function farm(): readonly string[] {
    const text = readFileSync(farmFile, 'utf8');
    const slaves = [...text.matchAll(/^\s+(http:\/\/\S+)$/gm)].map(([, url = '']) => url);
    assert.match(text, slaves.length > 0 ? /^renderfarm = 1$/m : /^renderfarm = 0$/m);
    return slaves;
  }

  const changes: FarmChange[] = [];
  function look(): void {
    const at = statSync(farmFile).mtimeMs;
    const slaves = farm();
    if (changes.at(-1)?.slaves.join() !== slaves.join()) changes.push({ at, slaves });
  }
  const watch = setInterval(look, 20);

  function processes(): readonly number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter(pid => pid > 0)
      .filter(pid => environOf(pid).includes(`E2E_DIRECTORY=${directory}\0`));
  }

  t.after(() => {
    clearInterval(watch);
    for (const pid of processes()) process.kill(pid, 'SIGKILL');
    if (!('passed' in t && t.passed === true)) for (const { stderr } of running) t.diagnostic(stderr());
    rmSync(directory, { recursive: true });
  });

  const master: Master = {
    account,
    directory,
    confFile,
    farmFile,
    environment,
    configure(options) {
      let text = readFileSync(confFile, 'utf8');
      for (const [option, value = ''] of Object.entries(options)) {
        const line = `${option} = ${value}`;
        const present = new RegExp(`^${option}\\s*=.*$`, 'm');
        text = present.test(text)
          ? text.replace(present, line)
          : text.replace('[MASTER]', `[MASTER]\n${line}`);
      }
      writeFileSync(confFile, text);
    },
    start: (...words) => master.run(['--conf', confFile, ...words]),
    run(words, env = environment) {
      const started = run(words, env, { cwd: directory });
      running.push(started);
      return started;
    },
    async done(...words) {
      const command = master.run([...words, '--conf', confFile]);
      assert.equal(await command.ended(), 0, command.stderr());
      return command.stdout();
    },
    farm,
    history() {
      look();
      return changes;
    },
    serving: count =>
      until(`the farm has ${count} slaves`, async () => {
        const slaves = farm();
        if (slaves.length !== count) return undefined;
        const { instances } = await account.state({ ended: true });
        return instances.filter(it => slaves.includes(`http://${it.address}:8101`));
      }),
    processes,
  };
  master.configure({
    name,
    server_status_url: statusUrl,
    renderfarm_conf: farmFile,
    state_directory: path.join(directory, 'state'),
    ...settings.options,
  });
  return master;
}

function environOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    // It has just ended, or it is somebody else's.
    return '';
  }
}
