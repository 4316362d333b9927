/** What one instance did. Moments are ms since the trace began. */
export type Lifetime = {
  readonly launchedAt: number;
  /** From when until when it is in the farm and answers; never, if the first is not below the second. */
  servesFrom: number;
  servesUntil: number;
  /** When the bill ends. */
  endedAt: number;
  /** The pool that it was launched in; -1: always the cheapest. */
  readonly pool: number;
  /** What it costs on demand, dollars an hour; unset: the price of its pool. */
  readonly onDemand?: number;
};

/** The result of a farm: all its instances. */
export type Run = {
  readonly lifetimes: readonly Lifetime[];
  readonly interruptions: number;
  /** Whether slaves were wanted while spot cost more than the bid. */
  readonly lackedSpot?: boolean;
};
