import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { MINUTE } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { type Configuration, readConfiguration } from '../../gbrowse/configuration.ts';
import { databaseUses } from '../../gbrowse/database-paths.ts';
import { findInstallations, type Installation } from '../../gbrowse/installations.ts';
import { settingOf } from '../../gbrowse/parse.ts';
import { renderOne } from '../../gbrowse/render.ts';
import { findProgram, runCommand } from '../../os/command.ts';
import { readSmall } from '../../staging/read-small.ts';
import { isSearched, pluginDirectories, type SiteFiles } from '../plan/copies.ts';
import { type TrialSource, trialSources } from '../plan/trial-source.ts';

/** The GBrowse of this master that visitors see first. */
export type Gbrowse = { readonly installation: Installation; readonly configuration: Configuration };

/**
 * Finds this master's GBrowse, and reads its configuration.
 *
 * @throws {UserError} when this machine has none
 */
export async function findGbrowse(): Promise<Gbrowse> {
  const { installations, refused } = await findInstallations();
  const [installation] = installations;
  if (installation === undefined) {
    const why = refused.length === 0 ? '' : ` (${refused.join(', ')})`;
    throw failure(
      `this machine has no GBrowse in one of the usual places${why}, so there is nothing for slaves to draw; run image on the master, or set GBROWSE_CONF to the directory of its GBrowse.conf`,
    );
  }
  const configuration = await readConfiguration(installation.file);
  return { installation, configuration };
}

/** The drivers of database servers that data sources use. */
export function driversOf(configuration: Configuration): readonly string[] {
  return [...new Set(databaseUses(configuration).flatMap(it => ('server' in it ? [it.server] : [])))];
}

/** Where plugins of this GBrowse are. */
export function pluginPath({ installation, configuration }: Gbrowse): readonly string[] {
  const value = settingOf(configuration.globals.sections, 'general', 'plugin_path')?.value ?? 'plugins';
  return pluginDirectories(value, installation.directory);
}

/** More files than any site has of its own in one directory of modules. */
const MOST_FILES = 100_000;

/**
 * The files below directories, by their real paths; a directory that is a symbolic link is one itself. One that is not there
 * has none, and the same directory under another name counts once.
 *
 * @throws {UserError} for a directory with too many files to be one of modules
 */
export async function filesBelow(directories: readonly string[]): Promise<readonly SiteFiles[]> {
  const known = new Set<string>();
  const found: SiteFiles[] = [];
  for (const directory of directories.filter(isSearched)) {
    const real = await realpath(directory).catch(() => undefined);
    if (real === undefined || known.has(real) || !(await stat(real)).isDirectory()) continue;
    known.add(real);
    const isLink = (await lstat(directory)).isSymbolicLink();
    const entries = await readdir(real, { recursive: true, withFileTypes: true });
    if (entries.length > MOST_FILES) {
      throw failure(
        `${directory} is where Perl or GBrowse looks for modules, and has more than ${MOST_FILES} files; take it out of PERL5LIB or plugin_path`,
      );
    }
    const files = entries.filter(it => it.isFile() || it.isSymbolicLink());
    const places = files.map(it => path.join(it.parentPath, it.name)).toSorted();
    found.push({ directory: real, files: isLink ? [directory, ...places] : places });
  }
  return found;
}

/** Lines that are neither empty nor comments. */
const SETTING = /^[^\S\n]*[^#\s]/m;

/** The file, if any, that says what slaves open before the first request. */
export async function preloadFile({ installation }: Gbrowse): Promise<readonly SiteFiles[]> {
  const file = path.join(installation.directory, 'slave_preload.conf');
  const text = await readSmall(file, MOST_SETTINGS, 'followed');
  if (text === undefined || !SETTING.test(text)) return [];
  return [{ directory: installation.directory, files: [file] }];
}

/** Bytes. */
const MOST_SETTINGS = 1024 ** 2;

/** GBrowse's slave program, which may be from no package. */
export async function slaveProgram(): Promise<readonly SiteFiles[]> {
  const file = findProgram('gbrowse_slave');
  return file === undefined ? [] : [{ directory: path.dirname(file), files: [file] }];
}

/** How many data sources are tried on the master, until one can be drawn. */
const MOST_TRIED = 5;
const DRAW_LIMIT = MINUTE;

/** The data source that an image is tried with: one that the master itself draws; undefined when there is none. */
export async function findTrialSource(
  { configuration, installation }: Gbrowse,
  signal: AbortSignal,
): Promise<TrialSource | undefined> {
  const uses = databaseUses(configuration);
  const sizes = new Map<string, number>();
  for (const place of new Set(uses.flatMap(it => ('path' in it ? [it.path] : [])))) {
    const there = await lstat(place).catch(() => undefined);
    if (there === undefined) continue;
    const ended = await runCommand(['du', '-sLb', '--', place], { signal });
    const bytes = Number.parseInt(ended.stdout, 10);
    if (!Number.isNaN(bytes)) sizes.set(place, bytes);
  }
  for (const candidate of trialSources(uses, sizes).slice(0, MOST_TRIED)) {
    signal.throwIfAborted();
    const drawn = await renderOne(installation, candidate.source, { timeLimit: DRAW_LIMIT });
    if (drawn.bytes !== undefined) return candidate;
  }
  return undefined;
}
