import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Apache, apacheMissing, startApache } from '../../peers/apache.ts';

/** How Apache runs GBrowse: read again for each request, or kept in memory. */
export type RunsAs = 'CGI' | 'FastCGI' | 'mod_perl';

const MODULE = { CGI: 'cgid', FastCGI: 'fcgid', mod_perl: 'perl' } as const;

/** Debian's GBrowse under an Apache of its own, with its demo data; it writes nowhere but into its own directory. */
export type Site = {
  readonly apache: Apache;
  /** The page of the data source. */
  readonly page: string;
  /** GBrowse's configuration directory. */
  readonly config: string;
  readonly farmFile: string;
  /** Why tracks could not be drawn, as far as GBrowse has told Apache's log. */
  reasons(): readonly string[];
  stop(): Promise<void>;
};

const SCRIPTS = '/usr/lib/cgi-bin/gbrowse';
/** How long GBrowse waits for a slave before it tries another one, where nothing else is asked for; 45 in the package. */
export const SLAVE_TIMEOUT_SECONDS = 20;
/** The package's databases, as the data sources name them. */
export const DATABASES = '/var/lib/gbrowse/databases';

/** What `describe(…, { skip })` takes: why there can be no site here, or false. */
export function siteMissing(runsAs?: RunsAs): string | false {
  if (!existsSync(path.join(SCRIPTS, 'gbrowse'))) return 'not installed: gbrowse';
  if (!existsSync(path.join(DATABASES, 'yeast_scaffolds'))) return 'not installed: gbrowse-data';
  const perl = spawnSync('perl', ['-MCGI::Fast', '-MFCGI', '-MGD', '-e', '1']).status === 0;
  return (
    apacheMissing(...(runsAs === undefined ? ['cgid', 'fcgid'] : [MODULE[runsAs]])) ||
    (perl ? false : 'not installed: libcgi-fast-perl libfcgi-perl libgd-perl')
  );
}

/** Debian's own configuration, for another directory. One process for each visitor's request, as CGI has it. */
function apacheLines(runsAs: RunsAs): string[] {
  const environment = [
    ['GBROWSE_CONF', '@DIR@/gbrowse'],
    ['PERL5LIB', '@DIR@/perl'],
  ];
  const directory = [`<Directory "${SCRIPTS}">`, '  Options ExecCGI'];
  const end = ['  Require all granted', '</Directory>'];
  switch (runsAs) {
    case 'CGI':
      return [
        'ScriptSock "@DIR@/run/cgisock"',
        `ScriptAlias /gb2 ${SCRIPTS}`,
        ...directory,
        ...environment.map(([name, value]) => `  SetEnv ${name} ${value}`),
        ...end,
      ];
    case 'FastCGI':
      return [
        'FcgidIPCDir "@DIR@/run/fcgid"',
        'FcgidProcessTableFile "@DIR@/run/fcgid_shm"',
        'FcgidIOTimeout 600',
        'FcgidBusyTimeout 600',
        ...environment.map(([name, value]) => `FcgidInitialEnv ${name} ${value}`),
        `Alias /gb2 ${SCRIPTS}`,
        ...directory,
        ...end,
        '<Location /gb2>',
        '  SetHandler fcgid-script',
        '</Location>',
      ];
    case 'mod_perl':
      return [
        'PerlSwitches -I@DIR@/perl',
        ...environment.map(([name, value]) => `PerlSetEnv ${name} ${value}`),
        `Alias /gb2 ${SCRIPTS}`,
        ...directory,
        ...end,
        '<Location /gb2>',
        '  SetHandler perl-script',
        '  PerlResponseHandler ModPerl::Registry',
        '  PerlOptions +ParseHeaders',
        '</Location>',
      ];
  }
}

/** The line of Debian 12's GBrowse that cannot take a picture that a slave has drawn, and what it has to be. */
const BROKEN = '$gd->png;';
const MENDED = 'ref $gd ? $gd->png : $gd;';
const CACHED_TRACK = 'Bio/Graphics/Browser2/CachedTrack.pm';

/**
 * A slave sends a picture as PNG, and `CachedTrack::put_data` asks these bytes for their PNG: the program dies in the
 * middle of it. Where the installed module has that line, a mended copy goes before it.
 *
 * @returns the directory for PERL5LIB
 */
function mendGBrowse(directory: string): string {
  const library = path.join(directory, 'perl');
  const installed = path.join('/usr/share/perl5', CACHED_TRACK);
  const text = readFileSync(installed, 'utf8');
  mkdirSync(path.dirname(path.join(library, CACHED_TRACK)), { recursive: true });
  writeFileSync(path.join(library, CACHED_TRACK), text.replace(`= ${BROKEN}`, `= ${MENDED}`));
  return library;
}

function idOf(kind: '-u' | '-g'): number {
  return Number(spawnSync('id', [kind, 'www-data'], { encoding: 'utf8' }).stdout);
}

/** A copy of the package's databases in their place, seen by us alone: GBrowse writes there. Only inside of `enter.ts`. */
export function keepDatabasesToOurselves(): void {
  const copy = `copy=$(mktemp -d) && trap 'rm -r "$copy"' EXIT && cp -a ${DATABASES}/. "$copy" &&
    mount -t tmpfs tmpfs ${DATABASES} && cp -a "$copy/." ${DATABASES}`;
  const { status, stderr } = spawnSync('sh', ['-c', copy], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no copy of the databases: ${stderr}`);
}

/** The databases as `sync` leaves them: a filesystem with `databases/` in it, in a file. */
export function databasesImage(directory: string): string {
  const image = path.join(directory, 'databases.img');
  const tree = path.join(directory, 'tree');
  const commands = [
    `mkdir '${tree}'`,
    `cp -a '${DATABASES}' '${tree}/databases'`,
    `mkfs.ext4 -q -d '${tree}' '${image}' 64M`,
  ];
  const { status, stderr } = spawnSync('sh', ['-c', commands.join(' && ')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no image of the databases: ${stderr}`);
  return image;
}

/**
 * Those of the region that a visitor looks at. Not the overview's, which all visitors share: GBrowse sometimes takes the
 * one that another visitor's process has just finished for one that has crashed (`CachedTrack::status`), farm or none.
 */
const TRACKS = 'default tracks = Genes tRNAs CDS Transp\n\n';

/** A copy of the package's configuration, with all that GBrowse writes below `data`. */
function configure(directory: string, slaveTimeout: number): string {
  const config = path.join(directory, 'gbrowse');
  const data = path.join(directory, 'data');
  cpSync('/etc/gbrowse', config, { recursive: true });
  const file = path.join(config, 'GBrowse.conf');
  let text = readFileSync(file, 'utf8').replace(/^(config_base\s*=).*/m, `$1 ${config}`);
  for (const option of ['tmp_base', 'persistent_base', 'userdata_base']) {
    text = text.replace(new RegExp(`^(${option}\\s*=).*`, 'm'), `$1 ${data}`);
  }
  text = text
    .replace(/^(slave_timeout\s*=).*/m, `$1 ${slaveTimeout}`)
    // Pictures no larger than what is seen of them: two cores are all that there is for visitors, master and slaves.
    .replace(/^(details multiplier\s*=).*/m, '$1 1');
  writeFileSync(file, text);
  const source = path.join(config, 'yeast_simple.conf');
  writeFileSync(source, readFileSync(source, 'utf8').replace(/^(default tracks =)[^[]*?\n\n/m, TRACKS));
  mkdirSync(data);
  chownSync(data, idOf('-u'), idOf('-g'));
  return config;
}

export async function startSite(runsAs: RunsAs, slaveTimeout = SLAVE_TIMEOUT_SECONDS): Promise<Site> {
  const apache = await startApache({
    // Debian's Perl under an MPM with threads would be cloned for each of them.
    ...(runsAs === 'mod_perl' && { mpm: 'prefork' }),
    modules: [MODULE[runsAs]],
    lines: apacheLines(runsAs),
  });
  mendGBrowse(apache.directory);
  const config = configure(apache.directory, slaveTimeout);
  return {
    apache,
    page: `${apache.origin}/gb2/gbrowse/yeast/`,
    config,
    farmFile: path.join(config, 'renderfarm.conf'),
    reasons: () =>
      [...apache.errorLog().matchAll(/rendering error track: .*|retrying fetch of .*/g)].map(String),
    stop: apache.stop,
  };
}
