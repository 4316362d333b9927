import { HOUR } from '../clock.ts';
import type { LockState } from '../daemon/lock.ts';
import { duration } from '../format/durations.ts';
import type { Resource } from './resource.ts';

/** How long (ms) after its last activity tag, or after its newest resource was created, a balancer counts as alive. */
const SIGN_LASTS = HOUR;

/** What is known about this machine. */
export type Here = {
  /** The master of this machine. */
  readonly master: string;
  readonly host: string;
  /** Wall clock ms. */
  readonly now: number;
};

/**
 * Why resources of one balancer, or of one run of `sync` or `image`, are held; undefined when nobody holds them.
 *
 * On this machine the lock decides; if only another user's process claims it, an activity tag has to confirm that it is
 * a balancer. A balancer on another machine shows in EC2: by its activity tag, or, before the first one, by what it has
 * just created. The resources of this machine's master belong to another machine only if the tag says so: somebody may
 * use a copy of the configuration there.
 *
 * @param lock who holds the lock on this machine
 * @param resources all of one master, and all of them the balancer's or of one run of `sync`
 */
export function holderOf(
  resources: readonly Resource[],
  lock: LockState['state'],
  here: Here,
): string | undefined {
  const [first] = resources;
  if (first === undefined) return undefined;
  const who = first.sync === undefined ? 'a balancer' : 'sync or image';
  if (lock === 'held') return `${who} is running on this machine`;
  const isOwn = first.master === here.master;
  const signs = resources
    .flatMap(({ alive }) => alive ?? [])
    .filter(({ host }) => lock === 'claimed' || !isOwn || (host !== '' && host !== here.host));
  const last = signs.toSorted((a, b) => b.at - a.at)[0];
  if (last !== undefined && here.now - last.at < SIGN_LASTS) {
    const where = last.host === '' || last.host === here.host ? 'another machine' : last.host;
    return `${who} on ${where} was active ${duration(here.now - last.at)} ago`;
  }
  if (isOwn) return undefined;
  const youngest = Math.max(...resources.flatMap(({ bornAt }) => bornAt ?? []));
  if (here.now - youngest >= SIGN_LASTS) return undefined;
  return `created ${duration(here.now - youngest)} ago, so ${who} may be running on another machine`;
}
