import { HOUR, MINUTE } from '../clock.ts';

/** How long before it takes a spot instance back EC2 says so, ms. */
export const INTERRUPTION_NOTICE = 2 * MINUTE;

/** The price of one pool of spot capacity, in steps: US dollars an hour from a moment (ms since the trace began) on. */
export type PriceSteps = readonly { readonly from: number; readonly price: number }[];

/** A simulated spot market: pools of capacity, each with a price that moves. Capacity is unlimited. */
export type Market = {
  /** The cheapest pool at a moment, if it costs no more than the bid. */
  cheapest(at: number, bid: number): number | undefined;
  /** The first moment after `at` at which a pool costs more than the bid; Infinity when there is none. */
  dearer(pool: number, at: number, bid: number): number;
  /** What an instance costs from one moment to another, dollars. */
  cost(pool: number, from: number, until: number): number;
  /** The same for one that was always in the cheapest pool: nobody pays less. */
  leastCost(from: number, until: number): number;
};

/** EC2 bills Linux instances by the second, and a minute at least. */
export const LEAST_BILLED = 60_000;

/** @param pools at least one, each with at least one step; the first step holds before it too */
export function createMarket(pools: readonly PriceSteps[]): Market {
  const curves = pools.map(curveOf);
  const moments = [...new Set(pools.flatMap(steps => steps.map(({ from }) => from)))].sort((a, b) => a - b);
  const least = curveOf(
    moments.map(from => ({ from, price: Math.min(...curves.map(curve => curve.at(from))) })),
  );
  return {
    cheapest(at, bid) {
      let [best, price] = [-1, bid];
      for (let pool = 0; pool < curves.length; pool++) {
        const own = curves[pool]?.at(at) ?? Number.POSITIVE_INFINITY;
        if (own < price || (own === price && best < 0)) [best, price] = [pool, own];
      }
      return best < 0 ? undefined : best;
    },
    dearer: (pool, at, bid) => curves[pool]?.next(at, price => price > bid) ?? Number.POSITIVE_INFINITY,
    cost: (pool, from, until) => curves[pool]?.cost(from, until) ?? 0,
    leastCost: least.cost,
  };
}

/** A market of one pool whose price never moves. */
export function constantMarket(price: number): Market {
  return createMarket([[{ from: 0, price }]]);
}

function curveOf(steps: PriceSteps) {
  const from = Float64Array.from(steps, step => step.from);
  const price = Float64Array.from(steps, step => step.price);
  /** What an instance has cost since the first step. */
  const paid = new Float64Array(steps.length);
  for (let step = 1; step < steps.length; step++) {
    paid[step] =
      (paid[step - 1] ?? 0) + (price[step - 1] ?? 0) * (((from[step] ?? 0) - (from[step - 1] ?? 0)) / HOUR);
  }

  /** The step that holds at a moment. */
  function stepAt(moment: number): number {
    let [low, high] = [0, from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((from[middle] ?? 0) <= moment) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
  function paidUntil(moment: number): number {
    const step = stepAt(moment);
    return (paid[step] ?? 0) + (price[step] ?? 0) * ((moment - (from[step] ?? 0)) / HOUR);
  }

  return {
    at: (moment: number) => price[stepAt(moment)] ?? 0,
    cost: (start: number, end: number) => paidUntil(end) - paidUntil(start),
    next(moment: number, is: (price: number) => boolean): number {
      const now = stepAt(moment);
      for (let step = now; step < price.length; step++) {
        if (is(price[step] ?? 0)) return Math.max(moment, from[step] ?? 0);
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}
