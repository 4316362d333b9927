/**
 * What visitors see when slaves die, hang or go dark, with Debian's own image as slaves and GBrowse's own `slave_timeout`:
 *
 *     npm run tracks -- [--pages 50] [--sizes 1,2,3] [--tells file,live] [--blows killed,hanging,dark]
 *
 * Prints the table of the README, from this run and what earlier runs have left in `dist/cloud`. Needs root; takes about
 * two minutes a cell on two idle cores.
 */
import './enter-with-root.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { debianRoot, rootsMissing } from '../packaging/fixtures/roots.ts';
import {
  ALL_BLOWS,
  type Blow,
  IMAGE,
  type Loss,
  lossTable,
  measureLosses,
  readLosses,
} from './gbrowse/losses.ts';
import { siteMissing } from './gbrowse/site.ts';
import { cloudMissing } from './requirements.ts';

const RESULT = path.resolve(import.meta.dirname, '../../dist/cloud/tracks');

const { values } = parseArgs({
  options: {
    pages: { type: 'string', default: '50' },
    sizes: { type: 'string', default: '1,2,3' },
    tells: { type: 'string', default: 'file,live' },
    blows: { type: 'string', default: ALL_BLOWS.join() },
  },
});
const missing = cloudMissing() || rootsMissing() || siteMissing('FastCGI');
if (missing !== false) {
  process.stderr.write(`There can be no cloud in a box here: ${missing}. Try: npm run setup\n`);
  process.exit(1);
}
const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const image = await debianRoot(IMAGE);
const blows = values.blows.split(',').filter((it): it is Blow => ALL_BLOWS.some(blow => blow === it));
mkdirSync(path.dirname(RESULT), { recursive: true });
for (const size of values.sizes.split(',').map(Number)) {
  for (const tells of (['file', 'live'] as const).filter(it => values.tells.split(',').includes(it))) {
    say(`a farm of ${size}, farm = ${tells}`);
    await measureLosses({ image, size, tells, blows, pages: Number(values.pages), say, keep });
  }
}
const table = lossTable(readLosses(`${RESULT}.json`));
writeFileSync(`${RESULT}.md`, table);
process.stdout.write(table);

/** In place of what an earlier run has measured of the same. */
function keep(fresh: Loss): void {
  const isAnew = (old: Loss) =>
    fresh.blow === old.blow && fresh.size === old.size && fresh.tells === old.tells;
  const all = [...readLosses(`${RESULT}.json`).filter(old => !isAnew(old)), fresh];
  writeFileSync(`${RESULT}.json`, JSON.stringify(all, null, 1));
}
