import path from 'node:path';

/** Files of this master that no package has, below one directory. */
export type SiteFiles = { readonly directory: string; readonly files: readonly string[] };

/** What a package's script writes beside a package's files (indexes, lists of parsers) is not the site's. */
const PROGRAM_CODE = /\.(pm|pl|al|so)$/;

/**
 * What a slave needs and no package brings: modules, glyphs and plugins of the site.
 *
 * @param found the files below each directory where Perl or GBrowse looks; absolute
 * @param owners the package of each file that has one
 */
export function siteFiles(
  found: readonly SiteFiles[],
  owners: ReadonlyMap<string, string>,
): readonly SiteFiles[] {
  const known = new Set<string>();
  return found.flatMap(({ directory, files }) => {
    const isPackaged = files.some(it => owners.has(it));
    const own = files.filter(
      it => !owners.has(it) && !known.has(it) && (!isPackaged || PROGRAM_CODE.test(it)),
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
