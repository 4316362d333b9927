/** The record of a span of time. Durations are ms. */
export type Tally = {
  /** Wall clock ms. */
  readonly start: number;
  /** For how long the balancer ran. */
  readonly watched: number;
  /** For how long the load was known, how many requests came then, and the highest load (requests/s). */
  readonly known: number;
  readonly requests: number;
  readonly peak: number;
  /** Of these requests, those that came while fewer slaves served than the load table's min. */
  readonly tooFew: number;
  /** Slaves in the farm, and slaves that existed, times for how long. */
  readonly served: number;
  readonly existed: number;
  /** What the slaves cost, and how much of that is counted with the bid because the price was not known. */
  readonly dollars: number;
  readonly atMost: number;
  readonly launches: number;
  readonly interruptions: number;
  /** Slaves on demand, times for how long they existed. */
  readonly bought: number;
};

/** The parts of a tally in the order of a state file. */
const PARTS = [
  'start',
  'watched',
  'known',
  'requests',
  'peak',
  'tooFew',
  'served',
  'existed',
  'dollars',
  'atMost',
  'launches',
  'interruptions',
  'bought',
] as const satisfies readonly (keyof Tally)[];

export function noTally(start: number): Tally {
  const entries = PARTS.map(part => [part, part === 'start' ? start : 0]);
  // Every part has a number.
  return Object.fromEntries(entries) as Tally;
}

/** The sum of both, from the start of the first. */
export function added(a: Tally, b: Tally): Tally {
  const entries = PARTS.map(part => [part, a[part] + b[part]]);
  return {
    ...(Object.fromEntries(entries) as Tally),
    start: a.start,
    peak: Math.max(a.peak, b.peak),
  };
}

/** The sum of all, as a span that begins at `start`. */
export function sumOf(tallies: readonly Tally[], start: number): Tally {
  return tallies.reduce(added, noTally(start));
}

/** A tally as a line of numbers, rounded as far as it does not matter. */
export function packed(tally: Tally): readonly number[] {
  return PARTS.map(part => Number(tally[part].toFixed(part === 'dollars' || part === 'atMost' ? 6 : 2)));
}

/** The tally in a line of numbers; undefined when it is none. */
export function unpacked(line: unknown): Tally | undefined {
  if (!Array.isArray(line)) return undefined;
  // An earlier version has written no `bought`.
  if (line.length === PARTS.length - 1) return unpacked([...line, 0]);
  if (line.length !== PARTS.length) return undefined;
  if (!line.every(it => typeof it === 'number' && Number.isFinite(it) && it >= 0)) return undefined;
  return Object.fromEntries(PARTS.map((part, at) => [part, line[at]])) as Tally;
}
