import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { type Configuration, readConfiguration } from '../gbrowse/configuration.ts';
import { farmSettings, isOn, type OwnSetting, ownSettings, readings } from '../gbrowse/farm-settings.ts';
import type { Installation } from '../gbrowse/installations.ts';
import { type Place, physical } from '../gbrowse/lines.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** A farm file that lists a slave, for a balancer that has not made its own yet. */
const TEXT = '[GENERAL]\nrenderfarm = 1\nremote renderer = http://127.0.0.1:8101\n';
/** Number of examples that a message names. */
const NAMED = 5;

/**
 * Whether a GBrowse draws with the slaves of a farm file: its own settings, then those of its data sources.
 *
 * @param isMain whether the farm belongs to this GBrowse; the pages of another one are merely drawn without slaves
 */
export async function farmFindings(
  { directory, file: gbrowseConf, namedBy }: Installation,
  farmFile: string,
  isMain: boolean,
): Promise<readonly Finding[]> {
  const file = await physical(farmFile).catch(() => path.resolve(farmFile));
  const configuration = await readConfiguration(gbrowseConf, {
    expected: { file, text: TEXT },
    ...(namedBy !== undefined && { configBase: directory }),
  });
  const name = namedBy === undefined ? gbrowseConf : `${gbrowseConf} (${namedBy})`;
  return [
    await reads(configuration, { name, gbrowseConf, farmFile, file, isMain }),
    ...sourcesOf(configuration),
    ...troublesOf(configuration),
  ];
}

type Reader = {
  /** GBrowse.conf, and what names it. */
  readonly name: string;
  readonly gbrowseConf: string;
  readonly farmFile: string;
  /** The farm file, its directory without links. */
  readonly file: string;
  readonly isMain: boolean;
};

async function reads(configuration: Configuration, reader: Reader): Promise<Finding> {
  const { name, gbrowseConf, farmFile, file, isMain } = reader;
  const same = await sameAs(file, configuration.globals.files);
  if (!configuration.globals.files.some(same)) {
    const relative =
      path.dirname(gbrowseConf) === path.dirname(farmFile) ? path.basename(farmFile) : farmFile;
    const line = `In ${gbrowseConf}, in [GENERAL] (the # is part of the line):\n    #include ${relative}`;
    if (isMain) return problem(`GBrowse does not read ${farmFile}: ${name} does not include it.`, line);
    return warning(
      `There is another GBrowse: ${name} does not include ${farmFile}, so no slave draws for it.`,
      line,
    );
  }
  const settings = farmSettings(configuration);
  for (const option of ['renderfarm', 'remote renderer'] as const) {
    const setting = settings[option];
    if (setting === undefined || same(setting.file)) continue;
    // A GBrowse whose farm is on but has no slaves draws on the master, as with a farm that is off.
    if (option === 'renderfarm' && isOn(setting)) continue;
    const value = option === 'renderfarm' ? ` = ${setting.value}` : '';
    return problem(
      `${where(setting)} sets "${option}${value}" after GBrowse has read ${farmFile}, and so overrides it.`,
      `Remove line ${setting.number} of ${setting.file}.`,
    );
  }
  if (settings.renderfarm === undefined) {
    return problem(
      `${name} includes ${farmFile} where it has no effect: not in [GENERAL], or below a line that begins with "##".`,
      `In ${gbrowseConf}, put the line #include ${path.basename(farmFile)} right below [GENERAL].`,
    );
  }
  return ok(`${farmFile}, which ${name} includes.`);
}

/** Data sources that are drawn without the farm. */
function sourcesOf(configuration: Configuration): readonly Finding[] {
  const own = ownSettings(configuration).filter(undoes);
  if (own.length === 0) return [];
  const sources = new Set(own.map(({ source }) => source));
  const isAll = configuration.sources.every(({ name }) => sources.has(name));
  const more = own.length > NAMED ? `\n    and ${own.length - NAMED} more` : '';
  const lines = own.slice(0, NAMED).map(one => `\n    ${where(one.setting)} ${effectOf(one)}`);
  const which = isAll
    ? 'Every data source has settings of its own'
    : 'Some data sources have settings of their own';
  const message = `${which} that override the farm: ${[...sources].join(', ')}.`;
  const fix = `Remove these lines, unless they are intended:${lines.join('')}${more}`;
  return [isAll ? problem(message, fix) : warning(message, fix)];
}

/** An empty list, `none` and `local` mean the master, which draws what no slave does. */
function undoes({ option, setting }: OwnSetting): boolean {
  return option === 'renderfarm' ? !isOn(setting) : true;
}

function effectOf({ option, section, setting }: OwnSetting): string {
  const { value } = setting;
  const track = ['general', 'TRACK DEFAULTS'].includes(section) ? '' : ` (track ${section})`;
  if (option === 'renderfarm') return `sets "renderfarm = ${value}": the master draws all of it`;
  if (['', '0', 'none', 'local'].includes(value))
    return `sets "remote renderer = ${value}"${track}: the master draws`;
  return `sets its own "remote renderer"${track}: the slaves listed there draw`;
}

function troublesOf(configuration: Configuration): readonly Finding[] {
  const troubles = readings(configuration).flatMap(({ troubles: own }) => own);
  return troubles.slice(0, NAMED).map(trouble => {
    const place = trouble.number === 0 ? '' : `${where(trouble)}: `;
    return trouble.fatal ? problem(`${place}${trouble.message}.`) : warning(`${place}${trouble.message}.`);
  });
}

function where({ file, number }: Place): string {
  return `${file}:${number}`;
}

/** Whether one of these paths means a file, directly or through a link. */
async function sameAs(file: string, paths: readonly string[]): Promise<(path: string) => boolean> {
  const real = (one: string) => realpath(one).catch(() => one);
  const target = await real(file);
  const same = await Promise.all(paths.map(async one => ((await real(one)) === target ? [one] : [])));
  const found = new Set(same.flat());
  return one => found.has(one);
}
