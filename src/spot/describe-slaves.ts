import type { Instance, SpotInstanceRequest } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { unlessGone } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import { isLive, RECLAIMING, type Slave, slaveOf } from './slave.ts';
import { isBalancers, ownedBy } from './tags.ts';

/** DescribeInstances gives at most so many a call; the load table's `max` may not be larger. */
const PAGE = 1000;

/**
 * This master's slaves as EC2 shows them: one DescribeInstances, and one DescribeSpotInstanceRequests if any is alive.
 * (A page may come back short of its size with a token; only then are there more calls.)
 *
 * @param onStaging called with the staging instances of `sync` and `image`, which the same answer shows
 * @throws {Ec2Error}
 */
export async function describeSlaves(
  ec2: Ec2,
  master: string,
  reach: 'private' | 'public',
  onStaging: (staging: readonly Slave[]) => void = () => {},
): Promise<readonly Slave[]> {
  const all = await describeInstances(ec2, master);
  const instances = all.filter(isBalancers);
  onStaging(all.filter(it => !isBalancers(it)).flatMap(it => slaveOf(it, undefined, reach) ?? []));
  const requests = await describeRequests(
    ec2,
    instances.flatMap(instance => {
      const slave = slaveOf(instance, undefined, reach);
      return slave !== undefined && isLive(slave) && instance.SpotInstanceRequestId !== undefined
        ? [instance.SpotInstanceRequestId]
        : [];
    }),
  );
  return instances.flatMap(
    instance => slaveOf(instance, requests.get(instance.SpotInstanceRequestId ?? ''), reach) ?? [],
  );
}

async function describeInstances(ec2: Ec2, master: string): Promise<Instance[]> {
  return await allPages(
    'DescribeInstances',
    token => ec2('DescribeInstances', { Filters: [ownedBy(master)], MaxResults: PAGE, ...token }),
    page => page.Reservations?.flatMap(it => it.Instances ?? []),
  );
}

/**
 * The requests of instances that EC2 is about to take back; the others are fine, and would only make the answer long.
 * By id, because EC2 takes at most 200 values in a filter but any number of ids.
 */
async function describeRequests(ec2: Ec2, ids: string[]): Promise<Map<string, SpotInstanceRequest>> {
  if (ids.length === 0) return new Map();
  // A request may be shown a little later than its instance; the next round sees it.
  const answer = await unlessGone(
    ec2('DescribeSpotInstanceRequests', {
      SpotInstanceRequestIds: ids,
      Filters: [{ Name: 'status-code', Values: RECLAIMING }],
    }),
  );
  return new Map((answer?.SpotInstanceRequests ?? []).map(it => [it.SpotInstanceRequestId ?? '', it]));
}
