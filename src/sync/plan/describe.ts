import { HOUR, MINUTE } from '../../clock.ts';
import { dollars, price } from '../../format/money.ts';
import { counted } from '../../format/numbers.ts';
import { byteSize } from '../../format/sizes.ts';
import { onDemandPrice, SNAPSHOT_PRICE } from '../../spot/list-prices.ts';
import type { Base } from '../snapshots/retention.ts';
import type { VolumePlan } from '../volumes/volumes.ts';
import type { SyncPlan } from './plan.ts';
import { PLACES } from './trees.ts';

/** Within EC2 a gp3 volume takes 125 MB/s; this is on the safe side. */
const COPY_RATE = 60e6;
/** Launch, first connection, snapshot calls. */
const FIXED_TIME = 3 * MINUTE;

/** The plan, for people. */
export function describePlan(plan: SyncPlan): string {
  const rows = plan.trees.map(({ tree, size }) => [
    tree.paths[0] ?? tree.source,
    `${byteSize(size.bytes)}, ${counted(size.inodes, 'entry', 'entries')}`,
    `${PLACES[tree.kind]}/`,
  ]);
  const widths = [0, 1].map(at => Math.max(...rows.map(row => row[at]?.length ?? 0)));
  return [
    'To be copied:',
    ...rows.map(
      ([path = '', size = '', place = '']) =>
        `  ${path.padEnd(widths[0] ?? 0)}  ${size.padEnd(widths[1] ?? 0)}  to ${place}`,
    ),
    `Onto: ${plan.volumes.map(it => volumeInWords(it)).join(', ')}${baseInWords(plan.base)}`,
    `By: a staging instance ${plan.instanceTypes[0]} of ${plan.imageId} in ${plan.region}`,
    `Cost: ${costInWords(plan)}`,
  ].join('\n');
}

function volumeInWords({ snapshotId, size }: VolumePlan): string {
  return snapshotId === undefined
    ? `a new volume of ${size} GiB`
    : `a volume of ${size} GiB made from ${snapshotId}`;
}

function baseInWords(base: Base): string {
  return base.kind === 'unwritten'
    ? ', which an earlier sync has made but not written into the configuration'
    : '';
}

function costInWords({ instanceTypes, trees, volumes, base }: SyncPlan): string {
  const [type = ''] = instanceTypes;
  const bytes = trees.reduce((sum, { size }) => sum + size.bytes, 0);
  const time = FIXED_TIME + (base.kind === 'new' ? (bytes / COPY_RATE) * 1000 : 0);
  const perHour = onDemandPrice(type);
  const size = volumes.reduce((sum, it) => sum + it.size, 0);
  const instance =
    perHour === undefined
      ? "the instance's on-demand price"
      : `${price(perHour)} an hour, so ${dollars((perHour * time) / HOUR)} if it takes ${Math.ceil(time / MINUTE)} minutes`;
  return `${instance};
  the snapshot at most ${dollars(size * SNAPSHOT_PRICE)} a month (us-east-1, without data transfer)`;
}
