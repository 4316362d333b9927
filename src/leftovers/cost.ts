import { HOUR } from '../clock.ts';

/**
 * US dollars a GB-month: https://aws.amazon.com/ebs/pricing/, us-east-1 and us-west-2 (other regions cost up to twice as
 * much). Additional IOPS and throughput are not in it; the program never asks for any.
 */
const VOLUME_PRICES: Readonly<Record<string, number>> = { gp3: 0.08, gp2: 0.1 };
const SNAPSHOT_PRICE = 0.05;

/** AWS counts a month as 730 hours. */
const MONTH = 730 * HOUR;

/**
 * What an instance has cost at most: its maximum price, the bid, since its launch. (The spot price is below that.)
 *
 * @param maxPrice US dollars an hour; unset: not known
 * @returns US dollars; undefined when that cannot be said
 */
export function instanceCost(age: number | undefined, maxPrice: number | undefined): number | undefined {
  return age === undefined || maxPrice === undefined ? undefined : (Math.max(0, age) / HOUR) * maxPrice;
}

/** What a volume of so many GiB has cost, US dollars; undefined for a type whose price is not known here. */
export function volumeCost(age: number | undefined, type: string, size: number): number | undefined {
  return storageCost(age, size, VOLUME_PRICES[type]);
}

/** What a snapshot has cost at most, US dollars: as if every block of its volume were stored in it. */
export function snapshotCost(age: number | undefined, size: number): number | undefined {
  return storageCost(age, size, SNAPSHOT_PRICE);
}

function storageCost(age: number | undefined, size: number, price: number | undefined): number | undefined {
  return age === undefined || price === undefined ? undefined : (Math.max(0, age) / MONTH) * size * price;
}
