import type { Package } from '../survey/packages.ts';

/** The names of packages of Perl modules, and of BioPerl. */
const PERL_MODULE = /^(lib.*-perl|bioperl(-.*)?)$/;
/** Needed by data sources in ways that no configuration shows. */
const ALWAYS = /^(bioperl(-.*)?|libbio-.*-perl|libdbd-.*-perl)$/;
const SERVERS: readonly { readonly driver: RegExp; readonly packages: RegExp }[] = [
  { driver: /^(mysql|mariadb)$/i, packages: /^(default-mysql|mysql|mariadb)-server$/ },
  { driver: /^pg$/i, packages: /^postgresql$/ },
];

/**
 * The packages that a slave needs to draw as this master does: GBrowse, BioPerl and drivers of databases, Perl modules
 * that GBrowse loads here or that somebody has installed by name, and the database servers that data sources use and
 * this master has. apt adds what these depend on.
 *
 * @param loaded the packages of the Perl files that GBrowse loads
 * @param drivers of DBI, that the data sources name
 * @returns names, GBrowse's first
 */
export function packagesToInstall(
  installed: readonly Package[],
  loaded: ReadonlySet<string>,
  drivers: readonly string[],
): readonly string[] {
  const servers = SERVERS.filter(({ driver }) => drivers.some(it => driver.test(it)));
  const chosen = installed.filter(({ name, isManual }) => {
    if (ALWAYS.test(name) || servers.some(it => it.packages.test(name))) return true;
    return PERL_MODULE.test(name) && (isManual || loaded.has(name));
  });
  const gbrowse = installed.filter(({ name }) => name === 'gbrowse');
  return [...gbrowse, ...chosen].map(({ name }) => name);
}

/** A Debian version without epoch and revision: `2.56+dfsg` of `2.56+dfsg-11`. */
export function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}
