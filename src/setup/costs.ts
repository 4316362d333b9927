import type { LoadTable } from '../config/config.ts';
import { dollars, price } from '../format/money.ts';
import { alignedRows } from '../format/tables.ts';
import type { ZonePrice } from '../spot/prices.ts';
import { lowestPrice } from './instance-types.ts';

/** AWS counts a month as 730 hours. */
const HOURS_A_MONTH = 730;

/** Today's spot prices of the types, in lines for the terminal; empty where none is known. */
export function priceLines(prices: readonly ZonePrice[], types: readonly string[]): readonly string[] {
  const rows = types.flatMap(type => {
    const lowest = lowestPrice(prices, type);
    if (lowest === undefined) return [[type, 'not sold as a spot instance here']];
    const zones = prices.filter(it => it.type === type).toSorted((a, b) => a.dollars - b.dollars);
    return [
      [
        type,
        `${price(lowest)} an hour in ${zones[0]?.zone}, ${price(zones.at(-1)?.dollars ?? 0)} in the dearest zone`,
      ],
    ];
  });
  return prices.length === 0 ? [] : alignedRows(rows);
}

/**
 * What the farm costs in a month that stays at one row of the load table, at the lowest price of today, in lines for the
 * terminal; empty where no price is known.
 */
export function monthLines(
  table: LoadTable,
  prices: readonly ZonePrice[],
  types: readonly string[],
): readonly string[] {
  const known = types.map(type => lowestPrice(prices, type)).filter(it => it !== undefined);
  if (known.length === 0) return [];
  const slave = Math.min(...known) * HOURS_A_MONTH;
  const rows = table.map(({ requestsPerSecond, min, max }) => [
    `${requestsPerSecond}`,
    `${min}`,
    `${max}`,
    dollars(min * slave),
    dollars(max * slave),
  ]);
  return alignedRows([['requests/s', 'min', 'max', 'a month at min', 'a month at max'], ...rows], {
    right: () => true,
  });
}
