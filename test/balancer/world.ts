import assert from 'node:assert/strict';
import { type Balancer, startBalancer } from '../../src/balancer/loop.ts';
import type { End, State } from '../../src/balancer/state.ts';
import type { Ledger } from '../../src/budget/ledger.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';
import type { Config, MasterConfig, SlaveConfig } from '../../src/config/config.ts';
import type { Ec2, Ec2Action } from '../../src/ec2/api.ts';
import { retryReads } from '../../src/ec2/retry.ts';
import { failure, type UserError } from '../../src/errors.ts';
import type { Farm, ProbeAnswer } from '../../src/farm/farm.ts';
import type { Reading } from '../../src/load/reading.ts';
import type { Level, Log } from '../../src/log/log.ts';
import type { Site } from '../../src/master/site.ts';
import type { StateRead } from '../../src/os/state-file.ts';
import type { Pause } from '../../src/policy/pause.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { createSpotFleet } from '../../src/spot/fleet.ts';
import { DRAINING_TAG, MASTER_TAG } from '../../src/spot/tags.ts';
import { createSimulatedApache } from '../fake-aws/apache.ts';
import type { Ec2Settings } from '../fake-aws/ec2/settings.ts';
import { createSimulatedEc2 } from '../fake-aws/ec2/simulated-ec2.ts';
import type { InstanceView } from '../fake-aws/ec2/view.ts';
import { createLoadProfile, type LoadStep } from '../fake-aws/load-profile.ts';
import { createSimulatedSlaves, type SlaveSettings } from '../fake-aws/slaves.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

export const ADDRESS = '198.51.100.7';
export const MASTER = 'a master';
/** From instances that run on to ports that answer, in these worlds. */
export const BOOT_TIME = 30 * SECOND;
export const PENDING_TIME = 10 * SECOND;

export type WorldSettings = {
  /** `requests/s min max`, one row each. */
  readonly table?: readonly (readonly [requestsPerSecond: number, min: number, max: number])[];
  readonly load?: readonly LoadStep[] | number;
  readonly master?: Partial<MasterConfig>;
  readonly slave?: Partial<SlaveConfig>;
  readonly site?: Partial<Site>;
  readonly ec2?: Partial<Ec2Settings>;
  readonly slaves?: Partial<SlaveSettings>;
  readonly seed?: string;
  /** The wall clock at the beginning, ms since 1970. */
  readonly startsAt?: number;
  /** See `Edges`. */
  readonly crippled?: Promise<UserError>;
  readonly observe?: (state: Readonly<State>, now: number) => void;
  /** One that a predecessor has left. */
  readonly pause?: Pause;
  /** What the state file says; unset: what the balancer before has saved. */
  readonly spent?: StateRead<Ledger>;
};

/**
 * A master and its cloud in virtual time: the balancer itself, with its real spot manager, over an EC2, slaves, an
 * Apache and a farm file that live in memory.
 */
export function createWorld(settings: WorldSettings = {}) {
  const clock = createVirtualClock(settings.startsAt);
  const random = createRandom(settings.seed ?? 'a world');
  const { load = 0 } = settings;
  const apache = createSimulatedApache(
    clock,
    createLoadProfile(typeof load === 'number' ? [{ from: 0, requestsPerSecond: load }] : load),
  );
  const cloud = createSimulatedEc2({
    clock,
    random,
    settings: { pendingTime: PENDING_TIME, shutdownTime: 20 * SECOND, ...settings.ec2 },
  });
  const slaves = createSimulatedSlaves({
    clock,
    random,
    account: cloud.account,
    settings: { bootTime: BOOT_TIME, master: { address: ADDRESS }, ...settings.slaves },
  });
  const epoch = clock.wall() - clock.monotonic();
  const farm = createFarmInMemory(() => clock.monotonic());
  const log = createCapture(() => clock.monotonic());
  const configOf = (more: WorldSettings = {}) => createConfig({ ...settings, ...more });

  /** What somebody has written into the configuration file, until it is read; a text: what is wrong with it. */
  let written: Config | string | undefined;
  /** The state file of what was spent. */
  let saved: StateRead<Ledger> = { kind: 'missing' };
  let probeAnswer: ProbeAnswer | undefined;
  let reading: Partial<Reading> = {};
  let noPage = false;
  let starts = 0;
  let decisions = 0;
  let alive = { current: true };
  let balancer: Balancer;
  let end: End | undefined;

  /** Starts a balancer; all that it does ends at once when it is killed. */
  function start(more: WorldSettings = {}): Balancer {
    const life = { current: true };
    alive = life;
    end = undefined;
    const mortal = <T>(promise: Promise<T>) =>
      new Promise<T>((resolve, reject) =>
        promise.then(
          value => life.current && resolve(value),
          error => life.current && reject(error),
        ),
      );
    /** An edge of a process: what has begun goes on without it, and nothing new begins. */
    const edge =
      <A extends unknown[], T>(act: (...parameters: A) => Promise<T>) =>
      (...parameters: A): Promise<T> =>
        life.current ? mortal(act(...parameters)) : new Promise<T>(() => {});
    const plain: Ec2 = (action, request, options) =>
      life.current ? mortal(cloud.ec2(action, request, options)) : new Promise(() => {});
    const ec2 = retryReads(plain, clock, { random: () => 0.5 });
    const config = configOf(more);
    starts += 1;
    balancer = startBalancer(
      {
        clock: {
          ...clock,
          sleep: edge((ms, signal) => {
            // A sleep that nothing can interrupt only gathers what happens at once.
            if (signal !== undefined) decisions += 1;
            return clock.sleep(ms, signal);
          }),
        },
        readStatus: edge(async () => ({ ...(noPage ? {} : await apache.readStatus()), ...reading })),
        readConfigIfWritten: edge(async () => {
          const now = written;
          written = undefined;
          if (typeof now === 'string') throw failure(now);
          return now;
        }),
        fleet: createSpotFleet({
          ec2,
          site: {
            name: MASTER,
            reach: 'public',
            image: 'GBrowse-2.54',
            address: ADDRESS,
            ...settings.site,
            ...more.site,
          },
          findAddress: () => Promise.resolve(ADDRESS),
        }),
        probe: edge(async (...asked) => probeAnswer ?? (await slaves.probe(...asked))),
        farm: { read: edge(farm.read), write: edge(farm.write), reload: edge(farm.reload) },
        log: log.log,
        saveSpending: edge(async value => {
          await clock.sleep(2);
          saved = { kind: 'value', value, writtenAt: clock.wall() };
        }),
        ...(settings.crippled !== undefined && { crippled: settings.crippled }),
        ...(settings.observe !== undefined && { observe: settings.observe }),
      },
      {
        config,
        runId: `run${starts}`,
        listed: farm.urls(),
        ...(more.pause !== undefined && { pause: more.pause }),
        spent: { file: '/state/budget', read: more.spent ?? saved },
      },
    );
    void balancer.ended.then(how => {
      end = how;
    });
    return balancer;
  }

  /** kill -9: what was sent to EC2 is on its way, everything else stops. */
  function kill(): void {
    alive.current = false;
  }

  const isLive = (it: InstanceView) => it.state === 'pending' || it.state === 'running';
  const addressOf = (it: InstanceView) =>
    (settings.site?.reach === 'private' ? it.privateAddress : it.publicAddress) ?? '';

  const world = {
    clock,
    apache,
    cloud,
    slaves,
    farm,
    log,
    start,
    kill,
    restart(more: WorldSettings = {}) {
      kill();
      return start(more);
    },
    configOf,
    /** The administrator, or sync, writes the configuration file; a text: with a mistake. */
    writeConfig(what: WorldSettings | string) {
      written = typeof what === 'string' ? what : configOf(what);
    },
    /** From now on each reading of the load says this too; with `noPage`, and nothing else. */
    readings(says: Partial<Reading>, without: { readonly noPage?: boolean } = {}) {
      reading = says;
      noPage = without.noPage ?? false;
    },
    /** From now on every probe has this answer, whatever the slaves do; undefined: theirs. */
    answerProbes(answer: ProbeAnswer | undefined) {
      probeAnswer = answer;
    },
    get balancer() {
      return balancer;
    },
    end: () => end,
    decisions: () => decisions,
    now: () => clock.monotonic(),
    run: (ms: number) => clock.runFor(ms),
    until: (moment: number) => clock.runUntil(moment),
    /** Goes on in steps of 0.1 s until it is so, and says when it was. */
    async when(what: string, is: () => boolean, limit = 30 * MINUTE): Promise<number> {
      const deadline = clock.monotonic() + limit;
      while (!is()) {
        if (clock.monotonic() >= deadline)
          assert.fail(`not within ${limit / 1000} s: ${what}\n${log.text()}`);
        await clock.runFor(100);
      }
      return clock.monotonic();
    },
    /** Stops, as by SIGTERM, and waits for the end. */
    async stop(options?: { readonly keepSlaves?: boolean }): Promise<End> {
      balancer.stop(options);
      return clock.run(balancer.ended);
    },
    live: () => cloud.account.instances().filter(isLive),
    /** Of this master's, those that live and are not draining. */
    working: () =>
      cloud.account
        .instances()
        .filter(it => isLive(it) && it.tags[MASTER_TAG] === MASTER && it.tags[DRAINING_TAG] === undefined),
    urlOf: (it: InstanceView) => `http://${addressOf(it)}:8101`,
    /** The instances that the farm file lists. */
    listed: () => farm.urls().map(url => cloud.account.instanceAt(new URL(url).hostname)?.id ?? url),
    /** Moments (monotonic) of the calls of an action. */
    callsOf: (...actions: readonly Ec2Action[]) =>
      cloud
        .calls()
        .filter(call => actions.includes(call.action))
        .map(call => call.at - epoch),
    /** Every instance that this balancer asked EC2 to terminate, and when it did first. */
    terminations() {
      const first = new Map<string, number>();
      for (const { action, at, request } of cloud.calls()) {
        if (action !== 'TerminateInstances' || !('InstanceIds' in request)) continue;
        for (const id of request.InstanceIds ?? []) if (!first.has(id)) first.set(id, at - epoch);
      }
      return first;
    },
    /** Nothing of this master's is left in the account, money or litter. */
    assertNothingLeft() {
      const own = (it: { readonly tags: Readonly<Record<string, string>> }) => it.tags[MASTER_TAG] === MASTER;
      assert.deepEqual(world.live().filter(own), [], 'instances');
      assert.deepEqual(cloud.account.groups().filter(own), [], 'security groups');
      assert.deepEqual(cloud.account.launchTemplates().filter(own), [], 'launch templates');
    },
    /** No slave was terminated while GBrowse knew it, nor before its drain; `dead` ones need no drain. */
    assertDrained(drainTime = 60 * SECOND) {
      for (const [id, at] of world.terminations()) {
        const instance = cloud.account.instance(id);
        if (instance === undefined) continue;
        const url = world.urlOf(instance);
        const out = farm.lastListed(url);
        if (out === undefined) continue;
        assert.ok(
          at >= out + drainTime,
          `${id} was terminated ${(at - out) / 1000} s after it left the farm`,
        );
      }
    },
  };
  return world;
}

export type World = ReturnType<typeof createWorld>;

/** A world whose slaves are all in the farm. */
export async function serving(count: number, settings: WorldSettings = {}): Promise<World> {
  const world = createWorld({ load: 3, table: [[1, count, count + 1]], ...settings });
  world.start();
  await world.when(`${count} in the farm`, () => world.farm.urls().length === count);
  await world.run(2 * MINUTE);
  return world;
}

/** One that the farm file lists. */
export function firstListed(world: World): InstanceView {
  const instance = world.live().find(it => world.listed().includes(it.id));
  assert.ok(instance);
  return instance;
}

function createConfig({ table = [[1, 1, 2]], master, slave }: WorldSettings): Config {
  return {
    file: 'aws_balancer.conf',
    loadTable: table.map(([requestsPerSecond, min, max]) => ({ requestsPerSecond, min, max })),
    master: {
      pollInterval: 30 * SECOND,
      serverStatusUrl: 'http://localhost/server-status',
      farm: 'file',
      farmList: '/nonexistent/slaves',
      stateDirectory: '/nonexistent/state',
      reloadCommand: 'auto',
      drainTime: 60 * SECOND,
      overload: 'climb',
      releaseAfter: 'never',
      ...master,
    },
    slave: {
      instanceTypes: ['m5.large', 'm6i.large'],
      spotBid: 0.1,
      ports: [8101],
      imageOwners: ['self'],
      dataSnapshots: [],
      bootTimeout: 10 * MINUTE,
      orphanTimeout: 60 * MINUTE,
      sshUser: 'admin',
      onDemand: 0,
      ...slave,
    },
  };
}

function createFarmInMemory(now: () => number) {
  let listed: readonly string[] = [];
  let trouble: { readonly write?: string; readonly reload?: string } = {};
  let hanging: { readonly read?: boolean; readonly write?: boolean; readonly reload?: boolean } = {};
  const forever = () => new Promise<never>(() => {});
  const writes: { readonly at: number; readonly urls: readonly string[] }[] = [];
  const reloads: number[] = [];

  return {
    urls: () => listed,
    writes: () => writes,
    reloads: () => reloads,
    /** From now on writing or reloading fails so; `{}`: all is well again. */
    fail(message: typeof trouble) {
      trouble = message;
    },
    /** From now on these never answer. */
    hang(what: typeof hanging) {
      hanging = what;
    },
    /** Somebody edits the file. */
    edit(urls: readonly string[]) {
      listed = urls;
    },
    /** When the file listed it last: now, if it does; undefined if it never did. */
    lastListed(url: string): number | undefined {
      const index = writes.findLastIndex(it => it.urls.includes(url));
      if (index === -1) return undefined;
      return writes[index + 1]?.at ?? now();
    },
    read: () => (hanging.read === true ? forever() : Promise.resolve(listed)),
    write(urls) {
      if (hanging.write === true) return forever();
      if (trouble.write !== undefined) return Promise.reject(failure(trouble.write));
      listed = urls;
      writes.push({ at: now(), urls });
      return Promise.resolve();
    },
    reload() {
      if (hanging.reload === true) return forever();
      if (trouble.reload !== undefined) return Promise.reject(failure(trouble.reload));
      reloads.push(now());
      return Promise.resolve('Apache was reloaded');
    },
  } satisfies Farm & Record<string, unknown>;
}

function createCapture(now: () => number) {
  const entries: { readonly at: number; readonly level: Level; readonly message: string }[] = [];
  const at = (level: Level) => (message: string) => void entries.push({ at: now(), level, message });
  const log: Log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  return {
    log,
    entries,
    has: (pattern: RegExp) => entries.some(it => pattern.test(it.message)),
    count: (pattern: RegExp) => entries.filter(it => pattern.test(it.message)).length,
    text: () => entries.map(it => `${(it.at / 1000).toFixed(1)} ${it.level} ${it.message}`).join('\n'),
  };
}
