/** Requests that were counted between two readings; moments are monotonic ms. */
export type Counted = { readonly from: number; readonly until: number; readonly requests: number };

/** How long (ms) counts are kept: the longest mean is over five minutes. */
const KEPT = 6 * 60_000;

/** Adds the last count, and forgets what is too old. */
export function withCounted(recent: readonly Counted[], last: Counted): readonly Counted[] {
  return [...recent.filter(({ until }) => until > last.until - KEPT), last];
}

/**
 * The load over the last `seconds` before the latest count, requests/s. If less is known, over what is known; gaps in
 * which nothing was counted are left out.
 *
 * @returns undefined while nothing was counted
 */
export function rateOver(recent: readonly Counted[], seconds: number): number | undefined {
  const last = recent.at(-1);
  if (last === undefined) return undefined;
  const since = last.until - seconds * 1000;
  let [requests, length] = [0, 0];
  for (const span of recent) {
    const part = span.until - Math.max(span.from, since);
    if (part <= 0) continue;
    requests += (span.requests * part) / (span.until - span.from);
    length += part;
  }
  return length === 0 ? undefined : (requests * 1000) / length;
}
