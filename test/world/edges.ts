import type { Edges } from '../../src/balancer/loop.ts';
import type { End } from '../../src/balancer/state.ts';
import { LEDGER } from '../../src/budget/ledger-file.ts';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { retryReads } from '../../src/ec2/retry.ts';
import type { UserError } from '../../src/errors.ts';
import type { Probe } from '../../src/farm/farm.ts';
import type { Book } from '../../src/history/book.ts';
import { RECENT } from '../../src/history/files.ts';
import { createHistorian, type Historian } from '../../src/history/historian.ts';
import type { ReadStatus } from '../../src/load/reading.ts';
import type { Level, Log } from '../../src/log/log.ts';
import { type StateStore, stateFileOf } from '../../src/os/state-file.ts';
import { followPause } from '../../src/pause/follow.ts';
import { createSpotFleet } from '../../src/spot/fleet.ts';
import { createPrices } from '../../src/status/prices.ts';
import { createRecord } from '../../src/status/record.ts';
import type { Disk } from './disk.ts';
import type { Settings } from './history.ts';
import type { MachineClock } from './machine-clock.ts';
import { ADDRESS, type Process } from './master.ts';
import type { Mutation } from './mutation.ts';
import type { StateFiles } from './state-files.ts';

/** What a master needs of the world. */
export type Surroundings = {
  readonly clock: Clock;
  readonly machine: MachineClock;
  readonly ec2: Ec2;
  readonly readStatus: ReadStatus;
  readonly probe: Probe;
  readonly disk: Disk;
  readonly log: (level: Level, message: string) => void;
  /** A process begins with what was spent; false: it does not know. */
  readonly onBook: (process: Process, book: () => Book) => void;
  readonly onBookWrite: (how: 'begins' | 'done') => void;
  readonly onSpent: (isKnown: boolean) => void;
  readonly onStart: (process: Process) => void;
  readonly onEnd: (process: Process, how: End | Error) => void;
  readonly onKill: (process: Process) => void;
};

export type MasterOptions = {
  readonly settings: Settings;
  readonly reach: 'private' | 'public';
  readonly mutation?: Mutation | undefined;
  /** Whether its history is kept, too. */
  readonly keepsBook: boolean;
};

/** What a process's edges need of its master. */
type Parts = {
  readonly name: string;
  readonly around: Surroundings;
  readonly options: MasterOptions;
  readonly states: StateFiles;
  /** The number of the process. */
  readonly run: number;
  readonly crippled: Promise<UserError>;
  readonly readConfigIfWritten: () => Promise<Config | undefined>;
  readonly process: () => Process | undefined;
  readonly exit: () => void;
};

/** Every edge of a process: what has begun goes on without it, nothing new begins, and nothing is heard in sleep. */
export function edgesOf(life: { readonly alive: boolean }, parts: Parts) {
  const { name, around, options, states } = parts;
  const { clock, machine } = around;
  const forever = <T>() => new Promise<T>(() => {});
  const mortal =
    <A extends unknown[], T>(act: (...given: A) => Promise<T>) =>
    (...given: A): Promise<T> => {
      if (!life.alive) return forever<T>();
      return new Promise<T>((resolve, reject) => {
        const deliver = (settle: () => void) => {
          if (!life.alive) return;
          if (machine.isAsleep()) void machine.awake().then(() => life.alive && settle());
          else settle();
        };
        act(...given).then(
          value => deliver(() => resolve(value)),
          error => deliver(() => reject(error)),
        );
      });
    };
  const at = (level: Level) => (message: string) => life.alive && around.log(level, message);
  const plainLog: Log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  const record = options.keepsBook ? createRecord({ clock: machine, redact: it => it }) : undefined;
  const log = record?.hear(plainLog) ?? plainLog;
  const store = states.storeOf(life);
  const ec2: Ec2 = (action, request, given) => mortal(() => around.ec2(action, request, given))();
  const historian = record && openHistory(store, life, log, parts);
  record?.introduce({ version: '', pid: 0, master: name }, undefined, historian);
  const plain: Omit<Edges, 'fleet'> = {
    clock: { ...machine, sleep: mortal(machine.sleep) },
    readStatus: mortal(around.readStatus),
    readConfigIfWritten: mortal(parts.readConfigIfWritten),
    probe: mortal(around.probe),
    farm: {
      read: mortal(around.disk.farm.read),
      write: mortal(around.disk.farm.write),
      reload: mortal(around.disk.farm.reload),
    },
    log,
    crippled: parts.crippled,
    ...(record !== undefined && { observe: record.observe }),
    saveSpending: mortal(ledger =>
      store.write(
        stateFileOf(states.directory, LEDGER, name),
        LEDGER,
        { master: name, now: machine.wall() },
        ledger,
      ),
    ),
  };
  const mutant = options.mutation?.({ ...plain, ec2 }, { clock, run: parts.run, exit: parts.exit });
  const counted = record?.count(mutant?.ec2 ?? ec2) ?? mutant?.ec2 ?? ec2;
  const fleet = createSpotFleet({
    ec2: retryReads(counted, plain.clock, { random: () => 0.5 }),
    site: { name, reach: options.reach, image: 'GBrowse-2.54', address: ADDRESS },
    findAddress: () => Promise.resolve(ADDRESS),
  });
  const edges: Edges = { ...plain, ...mutant?.edges, fleet };
  const prices = createPrices(retryReads(ec2, plain.clock, { random: () => 0.5 }));
  const recorded: Edges | undefined = record &&
    historian && {
      prices: record.prices,
      ...edges,
      observe(state, now) {
        edges.observe?.(state, now);
        const process = parts.process();
        if (process !== undefined && process.balancer.state === state) around.onBook(process, historian.book);
      },
    };
  const priced: Edges = recorded ?? {
    prices,
    observe: ({ members, config: { slave } }, monotonic) => {
      if (slave.budget === undefined) return;
      const slaves = [...members.values()].map(it => it.slave);
      prices.follow(slaves, { monotonic, wall: machine.wall() });
    },
    ...edges,
  };
  const pauses = followPause({
    place: () => ({ directory: states.directory, master: name }),
    clock: plain.clock,
    log,
    store: { ...store, read: mortal(store.read) },
  });
  return { edges: priced, pauses, seen: mutant?.config ?? (it => it), meddle: mutant?.meddle };
}

function openHistory(
  store: StateStore,
  life: { readonly alive: boolean },
  log: Log,
  { name, around, states }: Parts,
): Historian {
  const told: StateStore = {
    ...store,
    async write(file, kind, of, value) {
      const isRecent = kind.name === RECENT.name;
      if (isRecent) around.onBookWrite('begins');
      await store.write(file, kind, of, value);
      if (isRecent && life.alive) around.onBookWrite('done');
    },
  };
  const place = () => ({ directory: states.directory, master: name });
  const historian = createHistorian({ place, clock: around.machine, log, store: told });
  void historian.open();
  return historian;
}
