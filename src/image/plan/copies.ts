import path from 'node:path';

/** Files of this master below one directory. */
export type SiteFiles = { readonly directory: string; readonly files: readonly string[] };

/** What a package's script writes beside a package's files (indexes, lists of parsers) is not the site's. */
const PROGRAM_CODE = /\.(pm|pl|al|so)$/;

/**
 * What a slave needs and no package brings as it is here: modules, glyphs and plugins of the site, and modules of packages that
 * somebody has changed.
 *
 * @param found the files below each directory where Perl or GBrowse looks; absolute
 * @param owners the package of each file that has one
 * @param changed files of packages that are not as the package has them
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

/** Where nothing is looked for: a relative directory depends on where Perl is started, and the root holds everything. */
export function isSearched(directory: string): boolean {
  return path.isAbsolute(directory) && path.normalize(directory) !== '/';
}
