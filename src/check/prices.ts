import { NEARLY } from '../budget/ledger.ts';
import { dollars, price } from '../format/money.ts';
import { grouped } from '../format/numbers.ts';
import type { ZonePrice } from '../spot/prices.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

export type PriceFacts = {
  /** In the zones that slaves may run in. */
  readonly prices: readonly ZonePrice[];
  /** Undefined when they are not known: any. */
  readonly zones: readonly string[] | undefined;
  readonly types: readonly string[];
  /** Dollars an hour. */
  readonly bid: number;
  /** The most slaves of the load table. */
  readonly most: number;
  readonly place: string;
  /** `[SLAVE] budget`, US dollars a month; and what was spent this month, when that is known. */
  readonly budget?: number;
  readonly spent?: number;
};

/** A price changes by this factor within days. */
const HEADROOM = 1.2;

/** Whether the bid buys slaves, type by type, and what the farm costs at most. */
export function judgePrices(facts: PriceFacts): readonly Finding[] {
  const { prices, types, bid, most, place } = facts;
  const lowest = Math.min(...prices.map(({ dollars }) => dollars));
  const details = { prices, bid, mostSlaves: most, mostAnHour: most * bid };
  const cost = ok(
    `At most ${price(most * bid)} an hour: ${most === 1 ? 'one slave' : `${most} slaves`} (load table) at the bid of ${price(bid)}` +
      `${Number.isFinite(lowest) ? `; ${price(most * Math.min(lowest, bid))} at today's lowest price` : ''}.`,
    { details },
  );
  const usable = prices.some(({ dollars }) => dollars <= bid);
  const budget = budgetOf(facts);
  return [...types.map(type => judgeType(type, facts, usable ? warning : problem)), cost, ...budget].map(
    finding =>
      finding.verdict === 'problem' && finding.fix === undefined
        ? { ...finding, fix: `Name another type, or other zones (${place}).` }
        : finding,
  );
}

/** How long the budget lasts, and what is left of it. */
function budgetOf({ bid, most, budget, spent }: PriceFacts): readonly Finding[] {
  if (budget === undefined) return [];
  const hours = budget / (most * bid);
  const lasts =
    hours >= 730
      ? `it is more than a month at the largest max and the bid can cost (${dollars(730 * most * bid)})`
      : `at the largest max and the bid it lasts for ${grouped(Math.floor(hours))} hours of the month's 730`;
  const known = spent === undefined ? '' : ` ${dollars(spent)} were spent this month (UTC).`;
  const text = `[SLAVE] budget is ${dollars(budget)} a month: ${lasts}.${known}`;
  if (spent === undefined || spent < NEARLY * budget) return [ok(text)];
  const fix = 'Raise [SLAVE] budget, or wait for the next month.';
  return [
    warning(
      spent >= budget
        ? `${text} It is used up, so no slave is launched before the next month.`
        : `${text} At 100 % the slaves are released until the next month.`,
      fix,
    ),
  ];
}

function judgeType(
  type: string,
  { prices, zones, bid, place }: PriceFacts,
  refuse: typeof warning | typeof problem,
): Finding {
  const own = prices.filter(it => it.type === type).toSorted((a, b) => a.dollars - b.dollars);
  const [low, high] = [own[0], own.at(-1)];
  if (low === undefined || high === undefined) {
    const where = zones === undefined ? 'in this region' : `in ${zones.join(', ')}`;
    return refuse(`${type} has no spot price ${where}: it is not offered there.`);
  }
  const span = spanOf(own);
  if (low.dollars > bid) {
    return refuse(
      `${type} costs ${span}, more than the bid of ${price(bid)}: EC2 will not launch any.`,
      `In ${place}:\n    spot_bid = ${enough(low.dollars)}`,
    );
  }
  const dear = own.filter(({ dollars }) => dollars > bid).map(({ zone }) => zone);
  const tight = low.dollars * HEADROOM > bid;
  if (tight || dear.length > 0) {
    const why =
      dear.length > 0
        ? `too expensive in ${dear.join(', ')}`
        : 'a small rise in price would interrupt them all';
    const bidFor = enough(dear.length > 0 ? high.dollars : low.dollars);
    return warning(
      `${type} costs ${span}, the bid is ${price(bid)}: ${why}.`,
      `In ${place}:\n    spot_bid = ${bidFor}`,
    );
  }
  return ok(`${type} costs ${span}, the bid is ${price(bid)}.`);
}

/** `$0.03 in us-west-2a`, `$0.03 in 4 zones`, `$0.03 (us-west-2a) to $0.05 (us-west-2d)`. */
function spanOf(prices: readonly ZonePrice[]): string {
  const [low, high] = [prices[0], prices.at(-1)];
  if (low === undefined || high === undefined) return '';
  const [least, most] = [price(low.dollars), price(high.dollars)];
  if (prices.length === 1) return `${least} in ${low.zone}`;
  return least === most
    ? `${least} in ${prices.length} zones`
    : `${least} (${low.zone}) to ${most} (${high.zone})`;
}

/** A bid with room above a price, to the cent. */
function enough(dollars: number): string {
  return (Math.ceil(dollars * HEADROOM * 100) / 100).toFixed(2);
}
