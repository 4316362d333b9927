import { MINUTE } from '../clock.ts';
import { RELEASE_ORDER, type Situation } from './scale.ts';

/**
 * A time without spot capacity within the bid, from the refusals of EC2. Moments are monotonic ms.
 *
 * - `at`: the last refusal;
 * - `used`: whether slaves were bought on demand after it. Spot is asked again before any more are.
 */
export type SpotOutage = { readonly since: number; readonly at: number; readonly used: boolean };

/** So long spot has to fail before anything is bought on demand. */
export const SPOT_PATIENCE = 5 * MINUTE;

/** Refusals further apart than this say nothing about the time between. */
const LONGEST_GAP = 15 * MINUTE;

/** A refusal older than this does not say that spot fails now. */
const FRESH = MINUTE;

/** The outage after one more refusal. */
export function afterSpotRefusal(outage: SpotOutage | undefined, now: number): SpotOutage {
  const goesOn = outage !== undefined && now - outage.at <= LONGEST_GAP;
  return { since: goesOn ? outage.since : now, at: now, used: false };
}

/** When spot has to be tried next, so that on-demand capacity is neither late nor bought although spot is back. */
export function nextSpotAttempt({ since, at }: SpotOutage): number {
  return Math.max(since, at < since + SPOT_PATIENCE ? since : at) + SPOT_PATIENCE;
}

/**
 * How many of the lacking slaves to buy on demand now.
 *
 * @param lacking how many slaves fewer than `min` there are
 * @param allowed how many may run on demand at a time
 * @param bought how many do, those that drain and those in flight included
 */
export function onDemandToBuy(
  outage: SpotOutage | undefined,
  {
    lacking,
    allowed,
    bought,
  }: { readonly lacking: number; readonly allowed: number; readonly bought: number },
  now: number,
): number {
  if (outage === undefined || outage.used || now - outage.at > FRESH) return 0;
  if (outage.at - outage.since < SPOT_PATIENCE) return 0;
  return Math.max(0, Math.min(lacking, allowed - bought));
}

type Replacement = {
  /** How many spot slaves to launch in the place of those on demand. */
  readonly launch: number;
  /** Slaves on demand that `min` does not need. */
  readonly release: readonly string[];
  /** Whether the load table's largest `max` leaves no room for a spot slave beside them. */
  readonly hasNoRoom: boolean;
};

/**
 * Gives up slaves on demand for spot slaves: a spot slave serves before one of them is released, and never more than
 * `ceiling` exist. Of `min`, as many stay as spot slaves that serve are lacking.
 */
export function replaceOnDemand(situation: Situation, inFlightOnDemand: number): Replacement {
  const { range, ceiling, loadIsKnown, slaves, inFlight } = situation;
  const staying = slaves.filter(({ standing }) => standing !== 'leaving' && standing !== 'draining');
  const bought = staying.filter(slave => slave.onDemand === true);
  if (bought.length === 0 || !loadIsKnown) return { launch: 0, release: [], hasNoRoom: false };

  const spot = staying.filter(slave => slave.onDemand !== true && slave.standing !== 'silent');
  const serving = spot.filter(({ standing }) => standing === 'serving').length;
  const needed = Math.max(0, range.min - serving);
  const order = bought.toSorted(
    (a, b) =>
      RELEASE_ORDER[a.standing] - RELEASE_ORDER[b.standing] ||
      b.launchedAt - a.launchedAt ||
      (a.id < b.id ? -1 : 1),
  );
  const release = order.slice(0, Math.max(0, bought.length - needed)).map(({ id }) => id);

  const lacking = Math.min(bought.length, range.min - spot.length - (inFlight - inFlightOnDemand));
  const all = slaves.length + inFlight;
  const draining = slaves.filter(({ standing }) => standing === 'draining').length;
  const room = Math.min(ceiling - (all - draining), 2 * ceiling - all);
  return {
    launch: Math.max(0, Math.min(lacking, room)),
    release,
    hasNoRoom: lacking > 0 && room <= 0 && staying.length >= ceiling,
  };
}
