import type { Range } from './load-table.ts';

/**
 * What the policy knows of a slave:
 * - `booting`: launched, not ready yet;
 * - `suspect`: serving, but it did not answer the last probe;
 * - `silent`: out of the farm until it answers again. It may come back, so it is no surplus; nor is it capacity, so
 *   another one may be launched meanwhile;
 * - `serving`: ready and answering;
 * - `leaving`: on its way out, as this process alone has decided. It is no capacity, but a successor of this process
 *   would count it as such;
 * - `draining`: on its way out, and EC2 knows: it has the draining tag, its end was asked for, or EC2 takes it back.
 */
export type Standing = 'booting' | 'suspect' | 'silent' | 'serving' | 'leaving' | 'draining';

export type Candidate = {
  readonly id: string;
  readonly standing: Standing;
  /** Any number that grows with the time of launch. */
  readonly launchedAt: number;
  /** Made from other data, or another image, than a new one would be. */
  readonly outdated?: boolean;
  /** It runs on demand, because spot had no capacity. */
  readonly onDemand?: boolean;
};

export type Situation = {
  /** What the load calls for. */
  readonly range: Range;
  /** False when the load could not be read: then nothing is released because of it. */
  readonly loadIsKnown: boolean;
  /** The load table's largest `max`. */
  readonly ceiling: number;
  readonly slaves: readonly Candidate[];
  /** Instances in flight: requested, or launched and not shown by EC2 yet. */
  readonly inFlight: number;
};

type Scaling = { readonly launch: number; readonly release: readonly string[] };

/** Order of release: first slaves that serve nobody, then those that may be failing. */
export const RELEASE_ORDER: Record<Standing, number> = {
  leaving: 0,
  draining: 0,
  silent: 1,
  booting: 2,
  suspect: 3,
  serving: 4,
};

/**
 * The scaling policy. Fewer slaves than `min`: launch the difference; more than `max`: release the difference;
 * otherwise nothing. Never more than `ceiling` beside those that are draining (so a replacement may have to wait until
 * EC2 knows that its predecessor leaves), and never more than twice the ceiling with them.
 *
 * Released first are, after `RELEASE_ORDER`, outdated ones and those on demand, then the newest (its caches are the
 * coldest). A slave and the one that it replaces count as one: which of them goes is decided elsewhere.
 */
export function scale(situation: Situation): Scaling {
  const { range, ceiling, inFlight } = situation;
  const staying = situation.slaves.filter(
    ({ standing }) => standing !== 'leaving' && standing !== 'draining',
  );
  const draining = situation.slaves.filter(({ standing }) => standing === 'draining');
  const capacity = staying.filter(({ standing }) => standing !== 'silent');
  const count = capacity.length + inFlight;

  if (count < range.min) {
    const all = situation.slaves.length + inFlight;
    const room = Math.min(ceiling - (all - draining.length), 2 * ceiling - all);
    return { launch: Math.max(0, Math.min(range.min - count, room)), release: [] };
  }
  // Those inFlight are not released before they are seen, nor others in their place.
  const replacements = replacementsIn(capacity);
  const surplus = situation.loadIsKnown ? capacity.length - replacements.length - range.max : 0;
  if (surplus <= 0) return { launch: 0, release: [] };
  const victims = capacity
    .filter(slave => !replacements.includes(slave))
    .toSorted(
      (a, b) =>
        RELEASE_ORDER[a.standing] - RELEASE_ORDER[b.standing] ||
        Number(isToBeReplaced(b)) - Number(isToBeReplaced(a)) ||
        b.launchedAt - a.launchedAt ||
        (a.id < b.id ? -1 : 1),
    );
  return { launch: 0, release: victims.slice(0, surplus).map(slave => slave.id) };
}

function isToBeReplaced({ outdated, onDemand }: Candidate): boolean {
  return outdated === true || onDemand === true;
}

/** Slaves that are, or are about to be, in the place of others: the best ones, one for each that is to be replaced. */
function replacementsIn(staying: readonly Candidate[]): readonly Candidate[] {
  const replaced = staying.filter(isToBeReplaced).length;
  if (replaced === 0) return [];
  return staying
    .filter(slave => !isToBeReplaced(slave))
    .toSorted(
      (a, b) =>
        RELEASE_ORDER[b.standing] - RELEASE_ORDER[a.standing] ||
        a.launchedAt - b.launchedAt ||
        (a.id < b.id ? -1 : 1),
    )
    .slice(0, replaced);
}
