import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findMotoServer } from './moto.ts';

export type Ec2Instance = {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated';
  readonly type: string;
  readonly image: string;
  readonly zone: string;
  readonly subnet: string;
  /** `127.x.y.z`, private and public. */
  readonly address: string;
  readonly groups: readonly string[];
  readonly key: string | null;
  readonly userData: string;
  readonly request: string;
  readonly volumes: readonly { readonly device: string; readonly deleteOnTermination: boolean }[];
  readonly shutdownBehaviour: string;
  readonly tags: Readonly<Record<string, string>>;
};

type Tagged = { readonly id: string; readonly tags: Readonly<Record<string, string>> };

export type Ec2State = {
  readonly instances: readonly Ec2Instance[];
  readonly requests: readonly (Tagged & {
    readonly state: string;
    readonly status: string;
    readonly maxPrice: string;
  })[];
  /** `rules`: `8101 from 192.0.2.1/32`. */
  readonly groups: readonly (Tagged & { readonly name: string; readonly rules: readonly string[] })[];
  readonly templates: readonly (Tagged & { readonly name: string })[];
  readonly volumes: readonly (Tagged & { readonly state: string })[];
  readonly snapshots: readonly (Tagged & { readonly state: string })[];
  readonly keyPairs: readonly (Tagged & { readonly name: string })[];
  /** By master: the most instances that ever lived at a time, draining ones apart. */
  readonly peaks: Readonly<Record<string, number>>;
  readonly subnets: readonly { readonly id: string; readonly vpc: string; readonly zone: string }[];
};

export type Ec2Call = {
  readonly action: string;
  /** Wall clock, ms. */
  readonly at: number;
  readonly accessKey: string;
  readonly region: string;
  readonly securityToken: string | null;
  /** As on the wire: `LaunchTemplateConfigs.1.Overrides.1.MaxPrice`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly status: number | null;
  readonly code: string | null;
};

/** What goes wrong with the next calls of an action; `ec2_stand_in.py` says what each word does. Times are in seconds. */
export type Fault = {
  /** A regular expression. */
  readonly action: string;
  /** A regular expression that one of the call's parameters fits: `Tag.1.Key=Name`. */
  readonly having?: string;
  readonly count?: number;
  readonly code?: string;
  readonly status?: number;
  readonly message?: string;
  /** What is answered instead, with `status`. */
  readonly body?: string;
  readonly delay?: number;
  readonly hang?: number;
  readonly drop?: boolean;
  readonly after?: boolean;
};

/** One master's part of the account: what it did (by its access key) and what carries its tag. */
export type Ec2Account = {
  readonly master: string;
  readonly accessKey: string;
  /** The master's resources; of instances and requests those that live, unless `ended` is asked for. */
  state(options?: { readonly ended?: boolean }): Promise<Ec2State>;
  calls(action?: string): Promise<readonly Ec2Call[]>;
  fault(fault: Fault): Promise<void>;
  /** How many calls the master's faults are still to hit. */
  faultsLeft(): Promise<number>;
  /** Makes a spot request that waits for an instance, with the tags of the master's. */
  request(): Promise<void>;
  /** The most slaves of the master's that ever lived at a time, draining ones apart. */
  peak(): Promise<number>;
  /** What is left of the master: empty when all is gone. */
  remains(): Promise<readonly string[]>;
};

export type Ec2StandIn = {
  readonly endpoint: string;
  /** `https://localhost:PORT`, when it was started with a certificate. */
  readonly tlsEndpoint?: string;
  /** The id of the image `GBrowse-2.54`. */
  readonly image: string;
  account(master: string): Ec2Account;
  /** Everything in the account, whosever it is, what has ended among it. */
  state(): Promise<Ec2State>;
  /** EC2 takes a spot instance back: its request says so now, it ends after `notice` seconds. */
  interrupt(instance: string, notice: number): Promise<void>;
  /** What the ports of an instance do from now on. */
  behave(instance: string, behaviour: 'answer' | 'refuse' | 'hang'): Promise<void>;
  /** Seconds of `pending`, `boot`, `shutting_down`; of `lag`, for which a new instance is not shown. */
  settings(settings: Readonly<Record<string, number>>): Promise<void>;
  /** Spot price (dollars an hour) and capacity of an instance type. */
  pool(instanceType: string, pool: { readonly price?: number; readonly capacity?: number }): Promise<void>;
  /** The account encrypts new volumes with this key by default; without one it does not. */
  encryptByDefault(key?: string): Promise<void>;
  /** Encrypts a snapshot, or that of an image, with this key. */
  encrypt(id: string, key: string): Promise<void>;
  stop(): Promise<void>;
};

export const REGION = 'us-west-2';
export const MASTER_TAG = 'gbrowse-aws-balancer:master';

/** What `test(…, { skip })` takes: why there can be no stand-in here, or false. */
export function ec2Missing(): string | false {
  return findPython() === undefined ? 'moto_server is not there and cannot be installed' : false;
}

/** The Python that `moto_server` runs with: its first line names it, else it stands beside it. */
export function findPython(): string | undefined {
  const server = findMotoServer();
  if (server === undefined) return undefined;
  const [, interpreter] = /^#!\s*(\/\S*python\S*)/.exec(readFileSync(server, 'latin1')) ?? [];
  if (interpreter !== undefined) return interpreter;
  return ['python3', 'python'].map(name => path.join(path.dirname(server), name)).find(existsSync);
}

/** Starts one, on ports of its own. It ends with this process, however that ends. */
export async function startEc2(tls?: {
  readonly certificate: string;
  readonly key: string;
}): Promise<Ec2StandIn> {
  const script = path.join(import.meta.dirname, 'ec2_stand_in.py');
  const more = tls === undefined ? [] : ['--certificate', tls.certificate, '--key', tls.key];
  return (await startStandIn(script, more)).ec2;
}

/**
 * Starts a stand-in that is built on `ec2_stand_in.py`.
 *
 * @returns besides it the JSON that it said when it was ready, and its control interface
 */
export async function startStandIn(
  script: string,
  options: readonly string[],
): Promise<{
  readonly ec2: Ec2StandIn;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly control: <T>(command: string, body?: unknown) => Promise<T>;
}> {
  // -B: no bytecode beside the sources.
  const child = spawn(findPython() ?? 'python3', ['-B', script, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
  if (first === undefined) throw new Error('the stand-in for EC2 ended while it was starting');
  const ready: { port: number; tlsPort?: number; image: string } & Record<string, unknown> = JSON.parse(
    String(first[0]),
  );
  const endpoint = `http://127.0.0.1:${ready.port}`;

  async function control<T>(command: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${endpoint}/control/${command}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${command}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  function account(master: string): Ec2Account {
    const accessKey = `AKIA${master.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')}`;
    async function state({ ended = false } = {}): Promise<Ec2State> {
      const all = await control<Ec2State>('state', { master });
      return {
        ...all,
        instances: all.instances.filter(it => ended || /pending|running/.test(it.state)),
        requests: all.requests.filter(it => ended || /open|active/.test(it.state)),
      };
    }

    return {
      master,
      accessKey,
      state,
      async calls(action) {
        const calls = await control<Ec2Call[]>('calls', { accessKey });
        return calls.filter(it => (action ?? it.action) === it.action);
      },
      fault: fault => control('faults', { count: 1, accessKey, ...fault }),
      async faultsLeft() {
        const faults = await control<{ accessKey: string; count: number }[]>('faults');
        return faults.reduce((sum, it) => sum + (it.accessKey === accessKey ? it.count : 0), 0);
      },
      request: () => control('request', { tags: { [MASTER_TAG]: master } }),
      peak: async () => (await state()).peaks[master] ?? 0,
      async remains() {
        const { instances, requests, groups, templates, volumes, snapshots, keyPairs } = await state();
        const making = snapshots.filter(it => it.state === 'pending');
        const all = [...instances, ...requests, ...groups, ...templates, ...volumes, ...making, ...keyPairs];
        return all.map(({ id }) => id);
      },
    };
  }

  const ec2: Ec2StandIn = {
    endpoint,
    ...(ready.tlsPort !== undefined && { tlsEndpoint: `https://localhost:${ready.tlsPort}` }),
    image: ready.image,
    account,
    state: () => control('state'),
    interrupt: (instance, notice) => control('interrupt', { instance, notice }),
    behave: (instance, behaviour) => control('behave', { instance, behaviour }),
    settings: settings => control('settings', settings),
    pool: (instanceType, pool) => control('pools', { [instanceType]: pool }),
    encryptByDefault: key =>
      control('default-key', { enabled: key !== undefined, key: key ?? 'alias/aws/ebs' }),
    encrypt: (id, key) => control('encrypt', { id, key }),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
  return { ec2, ready, control };
}
