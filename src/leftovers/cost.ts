import { HOUR } from '../clock.ts';
import { HOURS_A_MONTH, SNAPSHOT_PRICE, VOLUME_PRICES } from '../spot/list-prices.ts';

/** AWS counts a month as 730 hours. */
const MONTH = HOURS_A_MONTH * HOUR;

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
