import type { CreateFleetResult, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { type Clock, HOUR, MINUTE } from '../../../src/clock.ts';
import { draw, type Random } from '../../../src/simulate/random.ts';
import { type AddressPool, createAddressPool } from './addresses.ts';
import type { Tokens } from './idempotency.ts';
import { isShownAt, type Life, stateAt } from './lifecycle.ts';
import type { GroupRule, Pool } from './resources.ts';
import type { Ec2Settings } from './settings.ts';
import type { TagHistory, Tags } from './tags.ts';

/** What every resource has. `lag` is how far what is shown of it is behind the truth, ms. */
export type Resource = {
  readonly id: string;
  readonly sequence: number;
  readonly bornAt: number;
  readonly lag: number;
  tags: TagHistory;
};

export type Volume = Resource & {
  readonly deviceName: string;
  /** GiB. */
  readonly size: number;
  readonly type: string;
  readonly snapshotId?: string;
  readonly deleteOnTermination: boolean;
  deletedAt?: number;
};

export type Snapshot = Resource & {
  /** GiB of its volume. */
  readonly size: number;
  readonly volumeId?: string;
  readonly owner: string;
  /** From then on it is complete; it is pending before. */
  readonly completedAt: number;
};

export type KeyPair = Resource & { readonly name: string };

/** An instance, with the volumes on it; one of the spot market has a request behind it. */
export type Instance = Resource &
  Life & {
    readonly reservationId: string;
    readonly launchIndex: number;
    readonly fleetId: string;
    readonly templateId: string;
    readonly instanceType: string;
    readonly zone: string;
    readonly subnetId: string;
    readonly imageId: string;
    readonly groupIds: readonly string[];
    readonly privateAddress: string;
    /** It has it from running on. */
    readonly publicAddress?: string;
    /** US dollars an hour; unset: the on-demand price, so never too low. */
    readonly maxPrice?: number;
    readonly data: RequestLaunchTemplateData;
    /** Unset: it runs on demand. */
    readonly spotRequest?: Resource;
    readonly volumes: readonly Volume[];
  };

export type Group = Resource & {
  readonly name: string;
  readonly description: string;
  rules: readonly GroupRule[];
};

export type Template = Resource & {
  readonly name: string;
  readonly data: RequestLaunchTemplateData;
};

export type Fleet = Resource & { readonly target: number; readonly result: CreateFleetResult };

/** All that the account holds. The actions' functions read and change it; time comes in through `now` alone. */
export type Account = {
  readonly settings: Ec2Settings;
  readonly random: Random;
  /** EC2's own clock, ms since 1970: a master whose wall clock steps does not change it. */
  now(): number;
  readonly instances: Map<string, Instance>;
  readonly groups: Map<string, Group>;
  readonly templates: Map<string, Template>;
  readonly fleets: Map<string, Fleet>;
  /** Volumes that their instance left behind. */
  readonly leftVolumes: Map<string, Volume>;
  readonly snapshots: Map<string, Snapshot>;
  /** By name. */
  readonly keyPairs: Map<string, KeyPair>;
  /** `TYPE ZONE` to the pool of spot capacity. */
  readonly pools: Map<string, Pool>;
  /** Who has, or last had, an address. */
  readonly occupants: Map<string, Instance>;
  readonly subnetAddresses: ReadonlyMap<string, AddressPool>;
  readonly publicAddresses: AddressPool;
  readonly tokens: Tokens;
  /** What every new resource has. */
  newResource(prefix: string, tags: Tags, idLength?: number): Resource;
  /** Forgets what is not shown any more. */
  sweep(): void;
};

/** How often memory is swept; what is shown does not depend on it. */
const SWEEP_INTERVAL = 10 * MINUTE;
/** How long a fleet is remembered. */
const FLEETS_KEPT = 48 * HOUR;

export function createAccount(settings: Ec2Settings, random: Random, clock: Clock): Account {
  const epoch = clock.wall() - clock.monotonic();
  const ids = random.fork('ids');
  const lags = random.fork('lags');
  const found = fromTheBeginning(settings, epoch);
  let sequence = found.snapshots.length + found.keyPairs.length;
  let nextSweep = 0;

  function newId(prefix: string, length: number): string {
    let digits = '';
    while (digits.length < length)
      digits += ids
        .integer(2 ** 24)
        .toString(16)
        .padStart(6, '0');
    return `${prefix}-${digits.slice(0, length)}`;
  }

  const account: Account = {
    settings,
    random,
    now: () => epoch + clock.monotonic(),
    instances: new Map(),
    groups: new Map(),
    templates: new Map(),
    fleets: new Map(),
    leftVolumes: new Map(),
    snapshots: new Map(found.snapshots.map(it => [it.id, it])),
    keyPairs: new Map(found.keyPairs.map(it => [it.name, it])),
    pools: new Map(),
    occupants: new Map(),
    subnetAddresses: new Map(settings.subnets.map(({ id, cidr }) => [id, createAddressPool(cidr)])),
    publicAddresses: createAddressPool(settings.publicCidr),
    tokens: new Map(),
    newResource(prefix, tags, idLength = 17) {
      const bornAt = account.now();
      return {
        id: newId(prefix, idLength),
        sequence: sequence++,
        bornAt,
        lag: draw(lags, settings.lag),
        tags: [{ since: bornAt, tags }],
      };
    },
    sweep() {
      const now = account.now();
      if (now < nextSweep) return;
      nextSweep = now + SWEEP_INTERVAL;
      for (const instance of account.instances.values()) {
        if (isShownAt(instance, now - instance.lag) || now < instance.bornAt + instance.lag) continue;
        account.instances.delete(instance.id);
        for (const volume of instance.volumes) {
          if (!volume.deleteOnTermination && volume.deletedAt === undefined)
            account.leftVolumes.set(volume.id, volume);
        }
        for (const address of [instance.privateAddress, instance.publicAddress ?? '']) {
          if (account.occupants.get(address) === instance) account.occupants.delete(address);
        }
      }
      for (const { id, deletedAt } of account.leftVolumes.values()) {
        if (deletedAt !== undefined) account.leftVolumes.delete(id);
      }
      for (const { id, bornAt } of account.fleets.values()) {
        if (bornAt + FLEETS_KEPT < now) account.fleets.delete(id);
      }
    },
  };
  return account;
}

/** The snapshots and key pairs that the account has when the world begins. */
function fromTheBeginning(
  settings: Ec2Settings,
  epoch: number,
): { readonly snapshots: readonly Snapshot[]; readonly keyPairs: readonly KeyPair[] } {
  const snapshots = Object.entries(settings.snapshots).map(([id, size], sequence): Snapshot => {
    const image = settings.images.find(it => it.rootSnapshot === id);
    const owner = image?.owner ?? settings.accountId;
    return { id, sequence, bornAt: epoch, lag: 0, tags: [], size, owner, completedAt: epoch };
  });
  const keyPairs = settings.keyPairs.map((name, index): KeyPair => {
    const id = `key-${String(index).padStart(17, '0')}`;
    return { id, sequence: snapshots.length + index, bornAt: epoch, lag: 0, tags: [], name };
  });
  return { snapshots, keyPairs };
}

/** Whether nobody has the address: an instance keeps its own until it is terminated. */
export function isFreeAddress(account: Account, address: string): boolean {
  const occupant = account.occupants.get(address);
  return occupant === undefined || stateAt(occupant, account.now()) === 'terminated';
}

/** How many addresses a subnet has left to give. */
export function freeAddresses(account: Account, subnetId: string): number {
  const now = account.now();
  let free = account.subnetAddresses.get(subnetId)?.size ?? 0;
  for (const instance of account.instances.values()) {
    if (instance.subnetId === subnetId && stateAt(instance, now) !== 'terminated') free--;
  }
  return free;
}
