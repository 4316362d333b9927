/** Data snapshots whose slaves are as good as any. */
export const GOOD = [
  'snap-0900d000000000001',
  'snap-0900d000000000002',
  'snap-0900d000000000003',
  'snap-0900d000000000004',
] as const;

/** Snapshots that exist, and whose slaves never answer. */
export const BROKEN = ['snap-0bad0000000000001', 'snap-0bad0000000000002'] as const;

/** Snapshots that somebody has deleted. */
export const GONE = ['snap-0dead000000000001'] as const;

/** Those that the account has, with their sizes in GiB: so large that the volumes cost about as much as the slave. */
export const SNAPSHOT_SIZES: Readonly<Record<string, number>> = Object.fromEntries(
  [...GOOD, ...BROKEN].map(id => [id, 400]),
);

/** Whether slaves with these data, space-delimited, can be launched and become ready. */
export function isGoodData(snapshots: string): boolean {
  return snapshots.split(' ').every(id => id === '' || GOOD.some(good => good === id));
}
