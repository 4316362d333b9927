import type { DescribeSpotPriceHistoryRequest, DescribeSpotPriceHistoryResult } from '@aws-sdk/client-ec2';
import type { Account } from './account.ts';
import { asInstanceType } from './instances.ts';
import { pageOf } from './paging.ts';

/**
 * The price that holds now, of each type in each zone that offers it. (EC2's answer begins with the price that held at
 * StartTime; the simulated market keeps no history.)
 */
export function describeSpotPriceHistory(
  account: Account,
  request: DescribeSpotPriceHistoryRequest,
): DescribeSpotPriceHistoryResult {
  const { InstanceTypes, ProductDescriptions } = request;
  const pools = [...account.pools.values()]
    .map((pool, sequence) => ({ ...pool, sequence }))
    .filter(it => InstanceTypes?.includes(asInstanceType(it.instanceType)) ?? true);
  const { items, next } = pageOf(pools, request, { from: 1, to: 1000 });
  return {
    SpotPriceHistory: items.map(({ instanceType, zone, price }) => ({
      InstanceType: asInstanceType(instanceType),
      AvailabilityZone: zone,
      ProductDescription: (ProductDescriptions?.[0] ?? 'Linux/UNIX') as 'Linux/UNIX',
      SpotPrice: price.toFixed(6),
      Timestamp: new Date(account.now()),
    })),
    // AWS: empty when there are no more items.
    NextToken: '',
    ...next,
  };
}
