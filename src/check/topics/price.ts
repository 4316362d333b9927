import type { _InstanceType, SpotPrice } from '@aws-sdk/client-ec2';
import { allPages } from '../../ec2/pages.ts';
import { known } from '../known.ts';
import { judgePrices, type ZonePrice } from '../prices.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** The bid compared with today's spot prices, and the most that an hour can cost. */
export const price: Topic = {
  name: 'price',
  async check(world) {
    const [{ ec2 }, config] = await Promise.all([world.account(), world.config()]);
    const [zones, product] = await Promise.all([zonesOf(world), productOf(world)]);
    const history = await allPages(
      'DescribeSpotPriceHistory',
      token =>
        ec2('DescribeSpotPriceHistory', {
          InstanceTypes: config.slave.instanceTypes.map(it => it as _InstanceType),
          ProductDescriptions: [product],
          // With a start time of now, the answer is the current price of each type and zone.
          StartTime: new Date(),
          ...token,
        }),
      page => page.SpotPriceHistory,
    );
    return judgePrices({
      prices: latest(history).filter(({ zone }) => zones?.includes(zone) ?? true),
      zones,
      types: config.slave.instanceTypes,
      bid: config.slave.spotBid,
      most: Math.max(...config.loadTable.map(({ max }) => max)),
      place: await world.place('SLAVE', 'spot_bid'),
    });
  },
};

/** The zones that slaves may run in; undefined when that is not known. */
function zonesOf(world: World): Promise<readonly string[] | undefined> {
  return known(world.placements().then(all => [...new Set(all.map(it => it.availabilityZone))]));
}

/** An image of Red Hat or SUSE has prices of its own. */
async function productOf(world: World): Promise<string> {
  const image = await known(world.image());
  return image?.description.PlatformDetails ?? 'Linux/UNIX';
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
