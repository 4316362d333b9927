import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { createRandom, type Random } from '../../src/simulate/random.ts';
import type { LoadStep } from '../fake-aws/load-profile.ts';
import { GOOD } from './snapshots.ts';
import { drawTrouble, type Trouble } from './troubles.ts';

/** `requests/s min max` of one row. */
export type Row = readonly [requestsPerSecond: number, min: number, max: number];

/** What the administrator wrote into the configuration file. Durations in ms. */
export type Settings = {
  readonly table: readonly Row[];
  readonly pollInterval: number;
  readonly drainTime: number;
  readonly bootTimeout: number;
  readonly orphanTimeout: number;
  readonly instanceTypes: readonly string[];
  readonly ports: readonly number[];
  /** As the file has it; unset: `never`. */
  readonly releaseAfter?: string;
  /** Unset: `climb`. */
  readonly overload?: string;
  /** US dollars a month; unset: no limit. */
  readonly budget?: number;
  /** Slaves that may run on demand; unset: none. */
  readonly onDemand?: number;
  /** The data snapshots; unset: none. */
  readonly data?: readonly string[];
};

/**
 * A history: everything that happens to a balancer from outside, as plain data. The same history always takes the same
 * course, to the byte; it can be written down, and made shorter by leaving something out.
 */
export type History = {
  readonly seed: string;
  /** How long (ms) troubles come. Then all is well, at a constant load. */
  readonly duration: number;
  readonly settings: Settings;
  /** Slaves are reached by private or by public addresses. */
  readonly reach: 'private' | 'public';
  /** EC2's answers and what they show: how slow, how stale (ms, at most). */
  readonly latency: number;
  readonly lag: number;
  /** A second master, of another name, in the same account. */
  readonly neighbour: boolean;
  /** How likely a slave that is launched among the troubles never answers. */
  readonly brokenBoots: number;
  readonly load: readonly LoadStep[];
  readonly troubles: readonly Trouble[];
  /** Whether the balancer keeps its history; unset: no, which is faster. */
  readonly book?: boolean;
  /** At the end: a clean stop, or the machine never comes back. */
  readonly end: 'stop' | 'death';
};

const TABLES: readonly (readonly Row[])[] = [
  [[1, 1, 2]],
  [[1, 1, 1]],
  [[1, 2, 2]],
  [
    [0.5, 0, 1],
    [1, 1, 2],
    [5, 3, 4],
  ],
  [
    [0.01, 0, 1],
    [0.5, 0, 2],
    [1, 1, 4],
    [5, 3, 6],
    [10, 6, 8],
  ],
  [
    [1, 2, 3],
    [5, 5, 5],
  ],
];

/** Never at the edge of a row: there, one request more or less is another number of slaves. */
const LOADS = [0, 0, 0.2, 0.7, 1.7, 3, 7, 15] as const;

/** Settings that an administrator may have, or come to. */
export function drawSettings(random: Random, calm: boolean): Settings {
  return {
    table: random.pick(TABLES),
    pollInterval: random.pick(
      calm
        ? [30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE]
        : [6 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE],
    ),
    drainTime: random.pick([0, 20 * SECOND, MINUTE, MINUTE, 5 * MINUTE]),
    bootTimeout: random.pick([3 * MINUTE, 5 * MINUTE, 10 * MINUTE]),
    orphanTimeout: random.pick([20 * MINUTE, 30 * MINUTE, HOUR]),
    instanceTypes: random.pick([
      ['m5.large'],
      ['m5.large', 'm6i.large'],
      ['m5.large', 'c5.large', 'm7i.xlarge'],
    ]),
    ports: random.pick([[8101], [8101, 8102]]),
    data: random.pick([[], [GOOD[0]], [GOOD[0]], [GOOD[1], GOOD[2]]]),
    releaseAfter: random.pick(['never', 'never', 'auto', 'auto', '3']),
    overload: random.pick(['climb', 'climb', 'ignore']),
    ...random.pick([{}, {}, { budget: 0.03 }, { budget: 0.1 }, { budget: 0.3 }]),
    ...random.fork('on demand').pick([{}, {}, { onDemand: 1 }, { onDemand: 2 }, { onDemand: 9 }]),
  };
}

/**
 * The history of a seed.
 *
 * @param duration how long troubles come, ms. Longer than a few hours, they come as seldom as in life: a few a day
 */
export function drawHistory(seed: number | string, duration = HOUR): History {
  const random = createRandom(`history ${seed}`);
  const calm = duration > 6 * HOUR;
  const settings = drawSettings(random.fork('settings'), calm);
  const kind = random.fork('kind');
  const brokenBoots = kind.pick([0, 0, 0, 0.1, 0.3, 1]);
  return {
    seed: String(seed),
    duration,
    settings,
    reach: kind.pick(['private', 'public']),
    latency: kind.pick([50, 240, 240, 2 * SECOND]),
    lag: kind.pick([500, 2 * SECOND, 2 * SECOND, 5 * SECOND]),
    neighbour: !calm && kind.chance(0.25),
    brokenBoots: calm ? brokenBoots / 10 : brokenBoots,
    load: drawLoad(random.fork('load'), duration, calm),
    troubles: drawTroubles(random.fork('troubles'), duration, calm),
    end: kind.chance(0.7) ? 'stop' : 'death',
    book: kind.chance(calm ? 1 : 0.3),
  };
}

function drawLoad(random: Random, duration: number, calm: boolean): LoadStep[] {
  const steps: LoadStep[] = [{ from: 0, requestsPerSecond: random.pick(LOADS) }];
  // A calm site sleeps most of the day.
  const mean = calm ? 6 * HOUR : random.pick([2 * MINUTE, 5 * MINUTE, 15 * MINUTE]);
  for (let at = between(random, mean); at < duration; at += between(random, mean)) {
    const last = steps.at(-1)?.requestsPerSecond;
    const requestsPerSecond = calm && last !== 0 ? 0 : random.pick(LOADS);
    steps.push({ from: at, requestsPerSecond });
    if (calm && requestsPerSecond > 0) at += between(random, 20 * MINUTE) - between(random, mean);
    at = Math.max(at, (steps.at(-1)?.from ?? 0) + SECOND);
  }
  return steps;
}

function drawTroubles(random: Random, duration: number, calm: boolean): Trouble[] {
  const troubles: Trouble[] = [];
  const mean = calm ? 8 * HOUR : random.pick([MINUTE, 3 * MINUTE, 3 * MINUTE, 8 * MINUTE]);
  for (let at = between(random, mean); at < duration; at += between(random, mean)) {
    troubles.push(drawTrouble(random, at, duration - at));
  }
  return troubles;
}

/** A whole number of ms around a mean. */
function between(random: Random, mean: number): number {
  return Math.max(1, Math.round(-Math.log(1 - random.next()) * mean));
}
