import { accountOf } from '../../budget/ledger.ts';
import { createLedgerFile } from '../../budget/ledger-file.ts';
import { findSpotPrices } from '../../spot/prices.ts';
import { known } from '../known.ts';
import { judgePrices } from '../prices.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** The bid compared with today's spot prices, and the most that an hour can cost. */
export const price: Topic = {
  name: 'price',
  async check(world) {
    const [{ ec2, region }, config] = await Promise.all([world.account(), world.config()]);
    const [zones, product] = await Promise.all([zonesOf(world), productOf(world)]);
    const prices = await findSpotPrices(ec2, config.slave.instanceTypes, product);
    const { budget } = config.slave;
    const spent = budget === undefined ? undefined : await spentOf(world);
    return judgePrices({
      ...(budget !== undefined && { budget }),
      ...(spent !== undefined && { spent }),
      prices: prices.filter(({ zone }) => zones?.includes(zone) ?? true),
      zones,
      types: config.slave.instanceTypes,
      bid: config.slave.spotBid,
      onDemand: config.slave.onDemand,
      largestMin: Math.max(...config.loadTable.map(({ min }) => min)),
      region,
      most: Math.max(...config.loadTable.map(({ max }) => max)),
      place: await world.place('SLAVE', 'spot_bid'),
    });
  },
};

/** The zones that slaves may run in; undefined when that is not known. */
function zonesOf(world: World): Promise<readonly string[] | undefined> {
  return known(world.placements().then(all => [...new Set(all.map(it => it.availabilityZone))]));
}

/** What was spent this month, US dollars; undefined for who may not read the balancer's state file. */
async function spentOf(world: World): Promise<number | undefined> {
  const [{ master }, { name }] = await Promise.all([world.config(), world.site()]);
  const now = Date.now();
  const read = await createLedgerFile({ directory: master.stateDirectory, master: name }).read(now);
  return read.kind === 'value' ? accountOf(read.value, now, undefined).spentAtMost : undefined;
}

/** An image of Red Hat or SUSE has prices of its own. */
async function productOf(world: World): Promise<string> {
  const image = await known(world.image());
  return image?.description.PlatformDetails ?? 'Linux/UNIX';
}
