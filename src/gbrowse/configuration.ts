import path from 'node:path';
import { type Expanded, type Expected, expandLines, type Place } from './lines.ts';
import { type Parsed, parseLines, settingOf } from './parse.ts';

/** A configuration file of GBrowse with all that it includes, as GBrowse has it in memory. */
export type Reading = Omit<Expanded, 'lines'> & Parsed;

/** A data source: a section of GBrowse.conf with a `path`. */
export type Source = {
  readonly name: string;
  /** Where its `path` stands. */
  readonly place: Place;
  /** Its own configuration; undefined where a program makes it, or its name is a pattern (`[=~…]`). */
  readonly reading?: Reading;
};

/** What one GBrowse reads. */
export type Configuration = {
  readonly file: string;
  readonly globals: Reading;
  readonly sources: readonly Source[];
};

/** More data sources than any site has. */
const MOST_SOURCES = 1000;

/**
 * Reads a GBrowse.conf, its data sources' files, and all that these include.
 *
 * @param configBase the directory of GBROWSE_CONF, where that is set: it wins over `config_base`
 * @param expected a file that counts as existing even if it does not
 */
export async function readConfiguration(
  file: string,
  { configBase, expected }: { readonly configBase?: string; readonly expected?: Expected } = {},
): Promise<Configuration> {
  const globals = withoutData(await readOne(file, expected));
  const base = configBase ?? settingOf(globals.sections, 'general', 'config_base')?.value;
  const sources: Source[] = [];
  for (const [name, options] of globals.sections) {
    const own = options.get('path');
    if (own === undefined || own.value === '' || name === 'general' || name.endsWith(':plugin')) continue;
    if (sources.length >= MOST_SOURCES) break;
    const place = { file: own.file, number: own.number };
    if (name.startsWith('=~') || /\|\s*$/.test(own.value) || /^(http|ftp):/.test(own.value)) {
      sources.push({ name, place });
    } else {
      const target = path.resolve(base === undefined || base === '' ? path.dirname(file) : base, own.value);
      sources.push({ name, place, reading: await readOne(target, expected) });
    }
  }
  return { file, globals, sources };
}

async function readOne(file: string, expected?: Expected): Promise<Reading> {
  const { lines, files, troubles } = await expandLines(file, expected);
  return { ...parseLines(lines), files, troubles };
}

/** Features belong into a data source's file, not into GBrowse.conf. */
function withoutData({ data, troubles, ...reading }: Reading): Reading {
  if (data === undefined) return { ...reading, troubles };
  const message =
    'GBrowse reads this line as a feature, not as an option. The lines from here to the next section have no ' +
    'effect, or make GBrowse fail with a syntax error';
  return { ...reading, troubles: [...troubles, { ...data, message, fatal: false }] };
}
