import type { SnapshotSet } from './snapshots.ts';

/**
 * The sets that are not kept any more: all but the newest `keep`. A set that a configuration still names is never among
 * them, nor one that is still being made.
 *
 * @param named the snapshots that configurations name
 */
export function outdated(
  sets: readonly SnapshotSet[],
  keep: number,
  named: ReadonlySet<string>,
): readonly SnapshotSet[] {
  return sets
    .filter(set => set.isComplete)
    .toSorted((a, b) => b.madeAt - a.madeAt)
    .slice(keep)
    .filter(set => !set.ids.some(id => named.has(id)));
}

/** What the volumes are made from. */
export type Base =
  | { readonly kind: 'new' }
  | { readonly kind: 'configured'; readonly ids: readonly string[]; readonly sizes: readonly number[] }
  /** The result of a sync that could not write it into the configuration any more. */
  | { readonly kind: 'unwritten'; readonly set: SnapshotSet };

/**
 * The snapshots on which a sync builds: the newest with the data, so that as little as possible must be copied and
 * stored.
 *
 * @param configured those of the configuration; their sizes are undefined when they are not there any more
 */
export function baseOf(
  configured: { readonly ids: readonly string[]; readonly sizes: readonly number[] | undefined },
  sets: readonly SnapshotSet[],
): Base {
  const own = sets.find(set => set.ids.some(id => configured.ids.includes(id)));
  const newest = sets.find(set => set.isUnderWay && (own === undefined || set.madeAt > own.madeAt));
  const isOurs = own !== undefined || configured.ids.length === 0 || configured.sizes === undefined;
  if (newest !== undefined && isOurs) return { kind: 'unwritten', set: newest };
  if (configured.ids.length > 0 && configured.sizes !== undefined) {
    return { kind: 'configured', ids: configured.ids, sizes: configured.sizes };
  }
  return { kind: 'new' };
}
