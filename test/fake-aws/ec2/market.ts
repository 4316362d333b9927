import { INTERRUPTION_NOTICE } from '../../../src/simulate/market.ts';
import { type Account, freeAddresses, type Instance } from './account.ts';
import { endLife, isLiveAt, type ReclaimReason } from './lifecycle.ts';
import { Refusal } from './refusal.ts';
import type { Pool } from './resources.ts';

export type Market = {
  /** The pools of a type, of a zone, or of both; all of them without `where`. */
  pools(where?: PoolFilter): readonly Readonly<Pool>[];
  /**
   * Changes pools. Where the price goes above what an instance pays at most, or the capacity below what is used, EC2
   * gives notice to these instances.
   */
  set(
    change: Partial<Pick<Pool, 'price' | 'capacity' | 'onDemandCapacity' | 'refusal'>>,
    where?: PoolFilter,
  ): void;
};

export type PoolFilter = { readonly instanceType?: string; readonly zone?: string };

/** Makes the account's pools from its settings: as much capacity as anybody wants. */
export function createMarket(account: Account): Market {
  for (const [instanceType, prices] of Object.entries(account.settings.prices)) {
    for (const { zone } of account.settings.subnets) {
      const price = typeof prices === 'number' ? prices : prices[zone];
      if (price === undefined) continue;
      account.pools.set(`${instanceType} ${zone}`, {
        instanceType,
        zone,
        price,
        past: [{ at: Number.NEGATIVE_INFINITY, price }],
        capacity: Number.POSITIVE_INFINITY,
        onDemandCapacity: Number.POSITIVE_INFINITY,
        refusal: undefined,
      });
    }
  }

  function pools(where: PoolFilter = {}): Pool[] {
    return [...account.pools.values()].filter(
      pool =>
        (where.instanceType ?? pool.instanceType) === pool.instanceType &&
        (where.zone ?? pool.zone) === pool.zone,
    );
  }

  return {
    pools,
    set(change, where) {
      for (const pool of pools(where)) {
        Object.assign(pool, change);
        if (pool.past.at(-1)?.price !== pool.price) pool.past.push({ at: account.now(), price: pool.price });
        reclaim(account, pool);
      }
    },
  };
}

/** The pool of a type in a zone. */
export function poolOf(account: Account, instanceType: string, zone: string): Pool {
  const pool = account.pools.get(`${instanceType} ${zone}`);
  if (pool !== undefined) return pool;
  const isKnown = [...account.pools.values()].some(it => it.instanceType === instanceType);
  throw isKnown
    ? new Refusal(
        'InvalidFleetConfiguration',
        `Your requested instance type (${instanceType}) is not supported in your requested Availability Zone (${zone}).`,
      )
    : new Refusal('InvalidParameterValue', `Invalid value '${instanceType}' for InstanceType.`);
}

/** The spot instances of a pool that exist now and are to go on existing. */
function staying(account: Account, pool: Pool): Instance[] {
  return [...account.instances.values()].filter(
    it =>
      it.spotRequest !== undefined &&
      it.instanceType === pool.instanceType &&
      it.zone === pool.zone &&
      it.end === undefined,
  );
}

/** Gives an instance notice; nothing when it has ended already, or has notice for an earlier moment. */
export function giveNotice(
  account: Account,
  instance: Instance,
  notice: number,
  reason: ReclaimReason,
  finalAtOnce = false,
): void {
  const now = account.now();
  if (!isLiveAt(instance, now)) return;
  instance.notice ??= { at: now, finalAtOnce };
  endLife(instance, now + notice, { by: 'spot', reason });
}

function reclaim(account: Account, pool: Pool): void {
  for (const instance of staying(account, pool)) {
    if (instance.maxPrice !== undefined && pool.price > instance.maxPrice) {
      giveNotice(account, instance, INTERRUPTION_NOTICE, 'by-price');
    }
  }
  const rest = staying(account, pool);
  while (rest.length > pool.capacity) {
    const [instance] = rest.splice(account.random.integer(rest.length), 1);
    if (instance !== undefined) giveNotice(account, instance, INTERRUPTION_NOTICE, 'no-capacity');
  }
}

/** How many of `want` spot instances EC2 gives in a pool at this price at most, and its reason for the rest. */
export function roomIn(
  account: Account,
  pool: Pool,
  subnetId: string,
  maxPrice: number | undefined,
  want: number,
): { readonly count: number; readonly refusal: Refusal } {
  if (pool.refusal !== undefined) return none(pool.refusal, `The pool refuses with ${pool.refusal}.`);
  if (maxPrice !== undefined && maxPrice < pool.price) {
    return none(
      'SpotMaxPriceTooLow',
      `Your Spot request price of ${maxPrice} is lower than the minimum required Spot request fulfillment price of ${pool.price}.`,
    );
  }
  const now = account.now();
  const live = [...account.instances.values()].filter(
    it => it.spotRequest !== undefined && isLiveAt(it, now),
  );
  const used = live.filter(it => it.instanceType === pool.instanceType && it.zone === pool.zone).length;
  const limits = [
    {
      left: pool.capacity - used,
      refusal: [
        'InsufficientInstanceCapacity',
        'There is no Spot capacity available that matches your request.',
      ],
    },
    {
      left: account.settings.spotQuota - live.length,
      refusal: ['MaxSpotInstanceCountExceeded', 'Max spot instance count exceeded'],
    },
    {
      left: freeAddresses(account, subnetId),
      refusal: [
        'InsufficientFreeAddressesInSubnet',
        `There are not enough free addresses in subnet '${subnetId}'`,
      ],
    },
  ] as const;
  const tightest = limits.reduce((a, b) => (b.left < a.left ? b : a), limits[0]);
  const [code, message] = tightest.refusal;
  return { count: Math.max(0, Math.min(want, tightest.left)), refusal: new Refusal(code, message) };
}

/** The same on demand. */
export function onDemandRoomIn(
  account: Account,
  pool: Pool,
  subnetId: string,
  want: number,
): { readonly count: number; readonly refusal: Refusal } {
  const now = account.now();
  const used = [...account.instances.values()].filter(
    it =>
      it.spotRequest === undefined &&
      it.instanceType === pool.instanceType &&
      it.zone === pool.zone &&
      isLiveAt(it, now),
  ).length;
  const free = freeAddresses(account, subnetId);
  const left = Math.min(pool.onDemandCapacity - used, free);
  const refusal =
    free <= left
      ? new Refusal(
          'InsufficientFreeAddressesInSubnet',
          `There are not enough free addresses in subnet '${subnetId}'`,
        )
      : new Refusal(
          'InsufficientInstanceCapacity',
          `We currently do not have sufficient ${pool.instanceType} capacity in the Availability Zone you requested (${pool.zone}).`,
        );
  return { count: Math.max(0, Math.min(want, left)), refusal };
}

function none(code: string, message: string): { readonly count: number; readonly refusal: Refusal } {
  return { count: 0, refusal: new Refusal(code, message) };
}

/** How many instances a pool could still take. */
export function spareCapacity(account: Account, pool: Pool): number {
  return pool.capacity - staying(account, pool).length;
}
