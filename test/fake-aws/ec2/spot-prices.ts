import type { DescribeSpotPriceHistoryRequest, DescribeSpotPriceHistoryResult } from '@aws-sdk/client-ec2';
import type { Account } from './account.ts';
import { asInstanceType } from './instances.ts';
import { pageOf } from './paging.ts';

/** The price that held at StartTime, and all that came after, of each type in each zone that offers it. */
export function describeSpotPriceHistory(
  account: Account,
  request: DescribeSpotPriceHistoryRequest,
): DescribeSpotPriceHistoryResult {
  const { InstanceTypes, ProductDescriptions } = request;
  const from = Math.min(request.StartTime?.getTime() ?? account.now(), account.now());
  const pools = [...account.pools.values()]
    .filter(it => InstanceTypes?.includes(asInstanceType(it.instanceType)) ?? true)
    .flatMap(({ instanceType, zone, past }) =>
      past
        .filter((_, index) => (past[index + 1]?.at ?? Number.POSITIVE_INFINITY) > from)
        .map(({ at, price }) => ({ instanceType, zone, price, at: Math.max(at, from) })),
    )
    .map((it, sequence) => ({ ...it, sequence }));
  const { items, next } = pageOf(pools, request, { from: 1, to: 1000 });
  return {
    SpotPriceHistory: items.map(({ instanceType, zone, price, at }) => ({
      InstanceType: asInstanceType(instanceType),
      AvailabilityZone: zone,
      ProductDescription: (ProductDescriptions?.[0] ?? 'Linux/UNIX') as 'Linux/UNIX',
      SpotPrice: price.toFixed(6),
      Timestamp: new Date(at),
    })),
    // AWS: empty when there are no more items.
    NextToken: '',
    ...next,
  };
}
