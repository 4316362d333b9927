import { hostname } from 'node:os';
import type { Filter } from '@aws-sdk/client-ec2';
import { type LockState, lockState } from '../daemon/lock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { MASTER_TAG, ownedBy } from '../spot/tags.ts';
import { holderOf } from './holder.ts';
import { listResources, type Unlisted } from './list.ts';
import { KINDS, type Resource } from './resource.ts';

/** What one master has in EC2. */
export type MasterLeftovers = {
  readonly master: string;
  /** What no running balancer and no running sync or image owns, in the order in which it can be removed. */
  readonly leftovers: readonly Resource[];
  /** What somebody owns, and how that is known. */
  readonly held: readonly { readonly why: string; readonly resources: readonly Resource[] }[];
  /** Complete snapshots and images: data, never leftovers. */
  readonly kept: readonly Resource[];
};

export type Leftovers = {
  /** This machine's master first, whether it has anything or not; then the others by name. */
  readonly masters: readonly MasterLeftovers[];
  /** What EC2 did not list: there may be leftovers among it. */
  readonly unlisted: readonly Unlisted[];
};

export type FindOptions = {
  /** The master of this machine. */
  readonly master: string;
  /** Include all masters of the account, in this region. */
  readonly allMasters?: boolean;
  /** Wall clock ms; unset: now. */
  readonly now?: number;
  /** This machine's name; unset: what the system says. */
  readonly host?: string;
  /** Whether a process of this machine holds the lock of this name; unset: find out. */
  readonly isLockHeld?: (name: string) => Promise<boolean>;
};

/** The lock that the owner of these resources holds on its machine. */
export function lockOf({ master, sync }: Pick<Resource, 'master' | 'sync'>): string {
  return `${sync === undefined ? 'master' : 'sync'}:${master}`;
}

/**
 * Finds what balancers and syncs that have ended left in EC2. It only reads.
 *
 * @throws {Ec2Error} when EC2 does not say enough to tell what is left over
 */
export async function findLeftovers(ec2: Ec2, options: FindOptions): Promise<Leftovers> {
  const { master, allMasters = false, now = Date.now(), host = hostname() } = options;
  const stateOf = async (name: string): Promise<LockState['state']> => {
    if (options.isLockHeld === undefined) return (await lockState(name)).state;
    return (await options.isLockHeld(name)) ? 'held' : 'free';
  };
  const tagged: Filter = allMasters ? { Name: 'tag-key', Values: [MASTER_TAG] } : ownedBy(master);
  const { resources, unlisted } = await listResources(ec2, tagged, now);
  const byMaster = Map.groupBy(resources, it => it.master);
  const names = [...byMaster.keys()].filter(it => it !== master).toSorted();
  const masters: MasterLeftovers[] = [];
  for (const name of [master, ...names]) {
    const [kept, working] = split(byMaster.get(name) ?? [], it => it.isData === true);
    const leftovers: Resource[] = [];
    const held: { why: string; resources: readonly Resource[] }[] = [];
    for (const group of Map.groupBy(working, it => it.sync).values()) {
      const [first] = group;
      const lock = first === undefined ? 'free' : await stateOf(lockOf(first));
      const why = holderOf(group, lock, { master, host, now });
      if (why === undefined) leftovers.push(...group);
      else held.push({ why, resources: inOrder(group) });
    }
    masters.push({ master: name, leftovers: inOrder(leftovers), held, kept });
  }
  return { masters, unlisted };
}

function split<T>(items: readonly T[], test: (item: T) => boolean): readonly [T[], T[]] {
  return [items.filter(test), items.filter(it => !test(it))];
}

/** In the order in which they can be removed; the oldest of a kind first. */
function inOrder(resources: readonly Resource[]): Resource[] {
  return resources.toSorted(
    (a, b) =>
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
      (a.bornAt ?? 0) - (b.bornAt ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );
}
