import { charge, type Ledger } from '../budget/ledger.ts';
import { HOUR } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { LaunchPlan } from '../spot/launch.ts';
import type { Slave } from '../spot/slave.ts';
import { dataTag } from '../spot/tags.ts';
import { type State, sayOnce } from './state.ts';

/** So many prices are kept, the latest. */
const KEPT = 20;

/** The slaves of an image and of data have the same volumes. */
export function volumesKey(imageId: string, { slave }: Pick<Config, 'slave'>): string {
  return `${imageId} ${dataTag(slave.dataSnapshots)}`;
}

export function keyOf({ imageId, data }: Pick<Slave, 'imageId' | 'data'>): string {
  return `${imageId} ${data}`;
}

/**
 * What the volumes of a slave cost, US dollars an hour; where its own are not known, as much as the dearest that are.
 * Undefined while none are known.
 */
export function volumesOf({ volumes = {} }: Ledger, key: string): number | undefined {
  const known = Object.values(volumes);
  return volumes[key] ?? (known.length === 0 ? undefined : Math.max(...known));
}

/** A plan says what the volumes of its slaves cost: from now on they are counted, and what was not counted before. */
export function recordVolumes(state: State, config: Config, { volumes, imageId }: LaunchPlan): void {
  const { spending } = state;
  if (spending === undefined || volumes === undefined) return;
  if ('unknown' in volumes) {
    sayOnce(
      state,
      'volumes',
      config.slave.budget === undefined ? 'debug' : 'warn',
      `the volumes of new slaves are not in the budget, because their size is not known: ${volumes.unknown}`,
    );
    return;
  }
  state.said.delete('volumes');
  const { perHour } = volumes;
  const key = volumesKey(imageId, config);
  const { [key]: before, ...others } = spending.ledger.volumes ?? {};
  if (before === perHour && spending.withoutVolumes === 0) return;
  const kept = Object.fromEntries([...Object.entries(others).slice(1 - KEPT), [key, perHour]]);
  // All of it belongs to this month, or is counted there: rather too much than too little.
  const missed = (spending.withoutVolumes / HOUR) * perHour;
  const ledger = charge(spending.ledger, spending.counted.wall, 1, {
    perHour: missed * HOUR,
    atMost: missed * HOUR,
  });
  state.spending = { ...spending, ledger: { ...ledger, volumes: kept }, withoutVolumes: 0 };
}
