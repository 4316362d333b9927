import type { _InstanceType, SpotPrice } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { allPages } from '../ec2/pages.ts';

/** What a type costs in a zone now, dollars an hour. */
export type ZonePrice = { readonly type: string; readonly zone: string; readonly dollars: number };

/**
 * The spot prices of this moment, of each type in each zone.
 *
 * @param product the platform of the image, such as `Linux/UNIX`
 * @throws {Ec2Error}
 */
export async function findSpotPrices(
  ec2: Ec2,
  types: readonly string[],
  product: string,
): Promise<readonly ZonePrice[]> {
  const history = await allPages(
    'DescribeSpotPriceHistory',
    token =>
      ec2('DescribeSpotPriceHistory', {
        InstanceTypes: types.map(it => it as _InstanceType),
        ProductDescriptions: [product],
        // With a start time of now, the answer is the current price of each type and zone.
        StartTime: new Date(),
        ...token,
      }),
    page => page.SpotPriceHistory,
  );
  return latest(history);
}

/** The newest price of each type and zone. */
function latest(history: readonly SpotPrice[]): readonly ZonePrice[] {
  const newest = new Map<string, ZonePrice & { readonly at: number }>();
  for (const { InstanceType: type, AvailabilityZone: zone, SpotPrice: text, Timestamp } of history) {
    const dollars = Number(text);
    if (type === undefined || zone === undefined || !Number.isFinite(dollars)) continue;
    const at = Timestamp?.getTime() ?? 0;
    const key = `${type} ${zone}`;
    if ((newest.get(key)?.at ?? Number.NEGATIVE_INFINITY) < at) newest.set(key, { type, zone, dollars, at });
  }
  return [...newest.values()].map(({ at: _, ...zonePrice }) => zonePrice);
}
