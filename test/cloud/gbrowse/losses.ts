import { readFileSync } from 'node:fs';
import { until } from '../../e2e/world.ts';
import type { RootName } from '../../packaging/fixtures/roots.ts';
import type { Ec2Instance } from '../../peers/ec2-stand-in.ts';
import type { Visit } from './browser.ts';
import { CALM, type Farm, type FarmOptions, startFarm } from './farm.ts';
import { type Tally, tally } from './tally.ts';

/** The image of the slaves: Debian with systemd, and GBrowse as its package installs it. */
export const IMAGE: RootName = 'slave';
/** GBrowse's own `slave_timeout`, s, and the `poll_interval` of the package, minutes. */
const SLAVE_TIMEOUT = 45;
const POLL_INTERVAL = 0.5;

const SLAVES = "pgrep -f '^/usr/bin/perl.*gbrowse_slave'";

/** What happens to a slave, and how it gets well again, where it does not by itself. */
const BLOWS = {
  killed: {
    // One may end by itself meanwhile.
    strike: (farm: Farm, id: string) => farm.cloud.run(id, `kill -KILL $(${SLAVES}) || true`),
    // The guard on the slave starts it again.
    heal: undefined,
  },
  hanging: {
    strike: (farm: Farm, id: string) => farm.cloud.run(id, `kill -STOP $(${SLAVES})`),
    heal: (farm: Farm, id: string) => farm.cloud.run(id, `kill -CONT $(${SLAVES})`),
  },
  dark: {
    strike: (farm: Farm, id: string) => farm.cloud.network(id, 'dark'),
    heal: (farm: Farm, id: string) => farm.cloud.network(id, 'up'),
  },
} as const;

export type Blow = keyof typeof BLOWS;
export const ALL_BLOWS = Object.keys(BLOWS) as readonly Blow[];

export type Loss = Tally & {
  readonly blow: Blow;
  readonly size: number;
  readonly tells: 'file' | 'live';
  /** How often a slave was struck. */
  readonly blows: number;
};

export type LossesOptions = Pick<FarmOptions, 'image'> & {
  readonly size: number;
  readonly tells: 'file' | 'live';
  readonly blows: readonly Blow[];
  /** At least so many pages are looked at for each kind of blow. */
  readonly pages: number;
  say(line: string): void;
  keep(loss: Loss): void;
};

/**
 * What people see of a farm of `size` slaves, under FastCGI, while one slave after another is struck: each is struck when
 * the farm is complete, and gets well when it has left the farm.
 */
export async function measureLosses(options: LossesOptions): Promise<void> {
  const { size, tells, say } = options;
  const farm = await startFarm('FastCGI', {
    calm: size,
    crowd: size,
    tells,
    slaveTimeout: SLAVE_TIMEOUT,
    pollInterval: POLL_INTERVAL,
    ...(options.image !== undefined && { image: options.image }),
  });
  try {
    farm.crowd(CALM);
    farm.startBalancer();
    const { slaves } = await farm.serving(size);
    await until('all slaves have drawn', async () =>
      (await Promise.all(slaves.map(it => farm.drawn(it.id)))).every(it => it > 0),
    );
    for (const blow of options.blows) {
      const { visits, blows } = await strikeUntil(farm, blow, options);
      const loss = { ...tally(blow, visits), blow, size, tells, blows };
      say(JSON.stringify(loss));
      options.keep(loss);
    }
  } finally {
    await farm.stop();
  }
}

async function strikeUntil(
  farm: Farm,
  blow: Blow,
  { size, pages, say }: LossesOptions,
): Promise<{ readonly visits: readonly Visit[]; readonly blows: number }> {
  const { strike, heal } = BLOWS[blow];
  const begin = Date.now();
  const since = () => farm.audience.visits.filter(it => it.startedAt >= begin);
  const looked = async (more: number) => {
    const enough = since().length + more;
    await until(`${more} more pages`, () => since().length >= enough);
  };
  let blows = 0;
  while (since().length < pages) {
    const { slaves } = await farm.serving(size);
    const victim = slaves[blows % size];
    if (victim === undefined) throw new Error('the farm is empty');
    await looked(1);
    const before = await slavesOf(farm, victim);
    if (before === undefined) continue;
    await strike(farm, victim.id);
    blows += 1;
    const struckAt = Date.now();
    await until(
      'it has left the farm, or works again',
      async () =>
        !(await isListed(farm, victim)) || (heal === undefined && (await areOthers(farm, victim, before))),
    );
    say(`${blow} ${victim.id}: noticed after ${((Date.now() - struckAt) / 1000).toFixed(1)} s`);
    await looked(2);
    // It may have been terminated meanwhile.
    await heal?.(farm, victim.id).catch(() => {});
  }
  const end = Date.now();
  await farm.audience.finished(end);
  return { visits: since().filter(it => it.startedAt < end), blows };
}

async function isListed(farm: Farm, slave: Ec2Instance): Promise<boolean> {
  const { publicAddress } = await farm.cloud.host(slave.id);
  return farm.listed().includes(publicAddress ?? '');
}

/** The ids of its slaves' processes; undefined while none runs. */
async function slavesOf(farm: Farm, slave: Ec2Instance): Promise<string | undefined> {
  return await farm.cloud.run(slave.id, SLAVES).catch(() => undefined);
}

async function areOthers(farm: Farm, slave: Ec2Instance, before: string): Promise<boolean> {
  const now = (await slavesOf(farm, slave))?.split('\n') ?? [];
  return now.some(Boolean) && !now.some(it => it !== '' && before.split('\n').includes(it));
}

const NAMES: Readonly<Record<Blow, string>> = {
  killed: 'slave processes killed',
  hanging: 'slaves that hang',
  dark: 'slaves whose network is dark',
};

/** The table of the README: a row for each kind of failure and each way of telling GBrowse, columns for each size of the farm. */
export function lossTable(losses: readonly Loss[]): string {
  const sizes = [...new Set(losses.map(it => it.size))].toSorted((a, b) => a - b);
  const head = sizes.map(size => `farm of ${size}: errors | late | slowest | of tracks`);
  const lines = [`| | ${head.join(' | ')} |`, `|---|${'---:|'.repeat(4 * sizes.length)}`];
  for (const tells of ['file', 'live'] as const) {
    for (const blow of ALL_BLOWS) {
      const row = sizes.map(size =>
        losses.find(it => it.size === size && it.blow === blow && it.tells === tells),
      );
      if (row.every(it => it === undefined)) continue;
      const cells = row.map(it =>
        it === undefined
          ? '– | – | – | –'
          : `${it.errors} | ${it.slow} | ${(it.longest / 1000).toFixed(1)} s | ${it.tracks}`,
      );
      lines.push(`| \`${tells}\`, ${NAMES[blow]} | ${cells.join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Losses that were measured before, from the file of the last run. */
export function readLosses(file: string): readonly Loss[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as readonly Loss[];
  } catch {
    return [];
  }
}
