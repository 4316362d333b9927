import { HOUR, MINUTE } from '../../clock.ts';
import { dollars, price } from '../../format/money.ts';
import { counted } from '../../format/numbers.ts';
import { byteSize } from '../../format/sizes.ts';
import { wrapped } from '../../format/wrap.ts';
import { onDemandPrice, SNAPSHOT_PRICE } from '../../spot/list-prices.ts';
import type { ImagePlan } from './plan.ts';

/** From the launch to the image: mostly the installation, and EBS, which stores the root volume. */
const WHOLE_TIME = 15 * MINUTE;
/** The size of Debian with GBrowse (GiB). */
const STORED = 3;
/** Longest line of packages, characters. */
const WIDTH = 98;
/** How many files of a directory are named. */
const SHOWN = 5;

/** The plan, for people. */
export function describePlan(plan: ImagePlan): string {
  const { base, distribution, gbrowse, packages, copies, script, trial, region, architecture } = plan;
  const [type = ''] = plan.instanceTypes;
  const version = gbrowse.package === undefined ? 'not from a package' : `package ${gbrowse.package}`;
  const perHour = onDemandPrice(type);
  const instance =
    perHour === undefined
      ? "the instance's on-demand price"
      : `${price(perHour)} an hour, so ${dollars((perHour * WHOLE_TIME) / HOUR)} if it takes ${WHOLE_TIME / MINUTE} minutes`;
  return [
    `An image for slaves of this master (${NAMES[distribution.id]} ${distribution.version}, GBrowse ${gbrowse.version}, ${version})`,
    `From: ${base.name} (${base.imageId}, ${architecture})`,
    `By: a staging instance ${type} in ${region}`,
    ...(packages.length === 0
      ? []
      : ['Packages:', ...wrapped(packages.join(' '), WIDTH).map(it => `  ${it}`)]),
    ...(copies.length === 0
      ? ['Copied: nothing; every module, glyph and plugin is unchanged from its package']
      : [
          'Copied, because it is in no package, or differs from its package:',
          ...copies.map(it => `  ${filesInWords(it.directory, it.files)}`),
        ]),
    ...(script === undefined ? [] : [`Script, run last: ${script.file}`]),
    ...(trial === undefined
      ? []
      : [`Tried by: a slave that draws a track of ${trial.source} (${byteSize(trial.bytes)} of data)`]),
    `Cost: ${instance};
  the image about ${dollars(STORED * SNAPSHOT_PRICE)} a month (us-east-1)`,
  ].join('\n');
}

const NAMES = { debian: 'Debian', ubuntu: 'Ubuntu' } as const;

function filesInWords(directory: string, files: readonly string[]): string {
  const names = files.slice(0, SHOWN).map(it => it.slice(directory.length + 1));
  const more = files.length > SHOWN ? ', ...' : '';
  return `${directory}: ${counted(files.length, 'file')} (${names.join(', ')}${more})`;
}
