import { RELEASE_ORDER, type Situation } from './scale.ts';

export type RefreshSituation = Situation & {
  /** How many slaves there were when it began; undefined while none is under way. */
  readonly size?: number;
  /** False when a new slave has failed and none has proved itself since: then no old one is given up. */
  readonly trusted: boolean;
  /** Whether a launch would be tried now. */
  readonly mayLaunch: boolean;
};

export type InstanceRefresh = {
  /** How many slaves there will be at its end; undefined: there is nothing to renew. */
  readonly size?: number;
  readonly launch: number;
  readonly release: readonly string[];
};

const NOTHING: InstanceRefresh = { launch: 0, release: [] };

/**
 * After the first new slave a farm is replaced in this many waves, so it is mixed for five boots, however large it is.
 */
const WAVES = 4;

/**
 * The rolling replacement of slaves that were made from other data, or another image, than a new one would be.
 *
 * - The first new slave comes alone: it shows whether the new data boot at all. Then a quarter of the farm at a time.
 * - A new slave serves before an old one is released, as long as there is room below `ceiling`. Where there is none,
 *   old ones make room: as many as the load allows, but at least one.
 * - While new slaves fail no old one is given up; nor to make room while the load is unknown or nothing can be
 *   launched.
 * - At the end there are as many slaves as at the beginning, as far as the load still allows.
 */
export function refreshInstances(situation: RefreshSituation): InstanceRefresh {
  const { range, ceiling, loadIsKnown, slaves, inFlight, trusted, mayLaunch } = situation;
  const staying = slaves.filter(({ standing }) => standing !== 'leaving' && standing !== 'draining');
  const draining = slaves.filter(({ standing }) => standing === 'draining').length;
  const outdated = staying.filter(slave => slave.outdated === true);
  if (outdated.length === 0 && situation.size === undefined) return NOTHING;

  const current = staying.filter(slave => slave.outdated !== true);
  const serving = current.filter(({ standing }) => standing === 'serving').length;
  const coming = current.filter(({ standing }) => standing === 'booting').length + inFlight;
  const before = situation.size ?? staying.length + inFlight;
  const size = Math.max(range.min, loadIsKnown ? Math.min(before, range.max) : before);
  if (outdated.length === 0 && serving >= size) return NOTHING;

  const width = serving > 0 ? Math.max(1, Math.ceil(size / WAVES)) : 1;
  const wanted = Math.max(0, Math.min(size - current.length - inFlight, width - coming));
  const room = Math.min(ceiling - (slaves.length - draining), 2 * ceiling - slaves.length) - inFlight;
  const launch = Math.max(0, Math.min(wanted, room));
  if (!trusted) return { size, launch, release: [] };

  const replaced = Math.max(0, Math.min(outdated.length, serving + outdated.length - size));
  const free = Math.max(0, ceiling - staying.length - inFlight);
  const lacking = wanted - free;
  const spare = Math.max(serving + outdated.length - range.min, coming === 0 && free === 0 ? 1 : 0);
  // One that is already leaving makes room as soon as EC2 knows, or stays if the load rises again.
  const isLeaving = slaves.some(({ standing }) => standing === 'leaving');
  const makesRoom = loadIsKnown && mayLaunch && replaced === 0 && !isLeaving;
  const makingRoom = makesRoom ? Math.max(0, Math.min(lacking, spare)) : 0;
  const order = outdated.toSorted(
    (a, b) =>
      RELEASE_ORDER[a.standing] - RELEASE_ORDER[b.standing] ||
      a.launchedAt - b.launchedAt ||
      (a.id < b.id ? -1 : 1),
  );
  return { size, launch, release: order.slice(0, replaced + makingRoom).map(slave => slave.id) };
}
