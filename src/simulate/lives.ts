/** What one instance did. Moments are ms since the trace began. */
export type Life = {
  readonly launchedAt: number;
  /** From when until when it stands in the farm and answers; never, when the first is not below the second. */
  servesFrom: number;
  servesUntil: number;
  /** When the bill ends. */
  endedAt: number;
  /** The pool that it was launched in; -1: always the cheapest. */
  readonly pool: number;
};

/** How a farm would have fared: all its instances. */
export type Run = { readonly lives: readonly Life[]; readonly interruptions: number };
