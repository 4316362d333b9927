import type { Steps } from './measure.ts';
import { loadAt, type Need } from './need.ts';
import { durationOf, requestsUntil, type Trace } from './trace.ts';

/** Equal parts of a trace, for pictures. */
type Parts = { readonly count: number /** How long each is, ms. */; readonly span: number };

/** At most so many parts, of a second at least. */
export function partsOf(trace: Trace, most: number): Parts {
  const count = Math.max(1, Math.min(most, trace.seconds));
  return { count, span: durationOf(trace) / count };
}

/** What a number of slaves was on average in each part. */
export function meanOf({ from, slaves }: Steps, { count, span }: Parts): Float64Array {
  const means = new Float64Array(count);
  let step = -1;
  for (let part = 0; part < count; part++) {
    const end = (part + 1) * span;
    let sum = 0;
    for (let at = part * span; at < end; ) {
      while ((from[step + 1] ?? Number.POSITIVE_INFINITY) <= at) step++;
      const next = Math.min(from[step + 1] ?? end, end);
      sum += (slaves[step] ?? 0) * (next - at);
      at = next;
    }
    means[part] = sum / span;
  }
  return means;
}

/** The load of each part, requests/s: on average, and in its busiest minute. */
export function loadOf(
  trace: Trace,
  { count, span }: Parts,
): { readonly mean: Float64Array; readonly most: Float64Array } {
  const [mean, most] = [new Float64Array(count), new Float64Array(count)];
  for (let part = 0; part < count; part++) {
    const [from, until] = [part * span, (part + 1) * span];
    mean[part] = ((requestsUntil(trace, until) - requestsUntil(trace, from)) * 1000) / span;
    let highest = 0;
    for (let second = Math.floor(from / 1000); second * 1000 < until; second++) {
      highest = Math.max(highest, loadAt(trace, second));
    }
    most[part] = Math.max(highest, mean[part] ?? 0);
  }
  return { mean, most };
}

/** The least and the most slaves that the load called for, on average in each part. */
export function wantedOf(
  { from, slaves, atMost }: Need,
  parts: Parts,
): { readonly min: Float64Array; readonly max: Float64Array } {
  return { min: meanOf({ from, slaves }, parts), max: meanOf({ from, slaves: atMost }, parts) };
}
