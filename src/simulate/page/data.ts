import { costs } from '../measure.ts';
import { loadOf, meanOf, partsOf, wantedOf } from '../series.ts';
import type { Policy, Simulation } from '../simulate.ts';

/** Points of each line: more than a screen has columns, so that one can zoom in. */
const MOST_POINTS = 2880;

/** What the charts of the page show. One list of values a line, all as long as `seconds`. */
export type ChartData = {
  /** The beginning of each part: seconds since 1970 as the clock on the wall showed them, or since the beginning. */
  readonly seconds: readonly number[];
  /** Whether these have dates. */
  readonly dated: boolean;
  readonly load: { readonly mean: readonly number[]; readonly most: readonly number[] };
  readonly wanted: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly policies: readonly {
    readonly id: Policy['id'];
    readonly title: string;
    readonly serving: readonly number[];
    /** Dollars since the beginning. */
    readonly paid: readonly number[];
  }[];
};

export function chartData({ trace, need, policies, world }: Simulation): ChartData {
  const parts = partsOf(trace, MOST_POINTS);
  const start = trace.startedAt === undefined ? 0 : trace.startedAt / 1000 + trace.zone * 60;
  const load = loadOf(trace, parts);
  const wanted = wantedOf(need, parts);
  return {
    seconds: Array.from({ length: parts.count }, (_, part) => Math.round(start + (part * parts.span) / 1000)),
    dated: trace.startedAt !== undefined,
    load: { mean: short(load.mean), most: short(load.most) },
    wanted: { min: whole(wanted.min), max: whole(wanted.max) },
    policies: policies.map(({ id, title, run, outcome }) => ({
      id,
      title,
      serving: whole(meanOf(outcome.serving, parts)),
      paid: short(added(costs(run.lifetimes, world.market, parts.span, parts.count))),
    })),
  };
}

function added(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map(value => {
    sum += value;
    return sum;
  });
}

/** Slaves are whole: the number that is nearest to the mean of the part. */
function whole(values: Float64Array): number[] {
  return Array.from(values, value => Math.round(value));
}

/** Three digits: what a screen can show. */
function short(values: Float64Array): number[] {
  return Array.from(values, value => Number(value.toPrecision(3)));
}
