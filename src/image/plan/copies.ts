import path from 'node:path';

/** Files of this master below one directory. */
export type SiteFiles = { readonly directory: string; readonly files: readonly string[] };

/**
 * What a package's script writes beside the package's files (indexes, lists of parsers) does not belong to the site.
 */
const PROGRAM_CODE = /\.(pm|pl|al|so)$/;

/**
 * What a slave needs that is in no package, or differs from its package: modules, glyphs and plugins of the site, and
 * modules that somebody has changed.
 *
 * @param found the files below each directory where Perl or GBrowse looks; absolute
 * @param owners the package of each file that has one
 * @param changed files that differ from their packages
 */
export function siteFiles(
  found: readonly SiteFiles[],
  owners: ReadonlyMap<string, string>,
  changed: ReadonlySet<string> = new Set(),
): readonly SiteFiles[] {
  const known = new Set<string>();
  return found.flatMap(({ directory, files }) => {
    const isPackaged = files.some(it => owners.has(it));
    const own = files.filter(
      it =>
        !known.has(it) && (changed.has(it) || (!owners.has(it) && (!isPackaged || PROGRAM_CODE.test(it)))),
    );
    for (const it of own) known.add(it);
    return own.length === 0 ? [] : [{ directory, files: own }];
  });
}

/**
 * The directories of a `plugin_path`: shell words or separated by colons, relative to GBrowse's configuration.
 *
 * @param configuration GBrowse's directory
 */
export function pluginDirectories(value: string, configuration: string): readonly string[] {
  const words = value.split(/[\s:]+/).filter(it => it !== '');
  return words.map(it => path.resolve(configuration, it.replace(/^["']|["']$/g, '')));
}

/**
 * Directories that are not searched: a relative one depends on where Perl is started, and the root contains everything.
 */
export function isSearched(directory: string): boolean {
  return path.isAbsolute(directory) && path.normalize(directory) !== '/';
}
