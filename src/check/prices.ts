import { NEARLY } from '../budget/ledger.ts';
import { dollars, price } from '../format/money.ts';
import { grouped } from '../format/numbers.ts';
import { onDemandPrice } from '../spot/list-prices.ts';
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
  /** `[SLAVE] on_demand`. */
  readonly onDemand?: number;
  /** The largest `min` of the load table. */
  readonly largestMin?: number;
  readonly region?: string | undefined;
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
  const budget = [...onDemandOf(facts), ...budgetOf(facts)];
  return [...types.map(type => judgeType(type, facts, usable ? warning : problem)), cost, ...budget].map(
    finding =>
      finding.verdict === 'problem' && finding.fix === undefined
        ? { ...finding, fix: `Name another type, or other zones (${place}).` }
        : finding,
  );
}

/** What slaves cost on demand, and whether they can be bought and given up. */
function onDemandOf({
  types,
  onDemand = 0,
  largestMin = 0,
  most,
  region,
  place,
}: PriceFacts): readonly Finding[] {
  if (onDemand === 0) return [];
  const priced = types.flatMap(type => {
    const own = onDemandPrice(type, region);
    return own === undefined ? [] : [{ type, own }];
  });
  const unknown = types.filter(type => priced.every(it => it.type !== type));
  const list = unknown.join(', ');
  if (priced.length === 0)
    return [
      warning(
        `[SLAVE] on_demand is ${onDemand}, but the price of ${list} on demand is not known to this version, so nothing is bought.`,
        'Add a common type to instance_type, such as m5.large.',
      ),
    ];
  const dearest = Math.max(...priced.map(it => it.own));
  const prices = priced.map(({ type, own }) => `${type} ${price(own)}`).join(', ');
  const count = Math.min(onDemand, largestMin);
  const text =
    `[SLAVE] on_demand is ${onDemand}: when spot has had no capacity within the bid for 5 minutes, up to ${count === 1 ? 'one slave is' : `${count} slaves are`} bought on demand, ` +
    `at the most ${price(count * dearest)} an hour (${prices} at the most)${unknown.length > 0 ? `; not ${list}, whose price is not known` : ''}.`;
  if (count === 0)
    return [
      warning(
        `[SLAVE] on_demand is ${onDemand}, but min is 0 in every row of the load table, so nothing is bought.`,
        'Give rows of the load table a min, or leave out on_demand.',
      ),
    ];
  if (largestMin < most) return [ok(text)];
  return [
    warning(
      `${text} Where min is the largest max (${most}), there is no room for spot slaves beside them, so they are not given up before the load falls.`,
      `Make the largest max of the load table larger (${place.split(':')[0]}).`,
    ),
  ];
}

/** How long the budget lasts, and what is left of it. */
function budgetOf({ bid, most, budget, spent }: PriceFacts): readonly Finding[] {
  if (budget === undefined) return [];
  const hours = budget / (most * bid);
  const lasts =
    hours >= 730
      ? `it is more than a month at the largest max and the bid can cost without volumes (${dollars(730 * most * bid)})`
      : `at the largest max and the bid, without volumes, it lasts for ${grouped(Math.floor(hours + 1e-6))} hours of the month's 730`;
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
