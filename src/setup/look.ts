import { readFile, stat } from 'node:fs/promises';
import { CONFIG_FILES } from '../config/locate.ts';
import { readConfigFile } from '../config/read.ts';
import { isUserError, systemCode } from '../errors.ts';
import { findResidents } from '../farm/apache.ts';
import { findInstallations } from '../gbrowse/installations.ts';
import { parseSettings, SETTINGS_FILE } from '../master/service-settings.ts';
import { PLAIN_ENVIRONMENT, run } from '../os/run.ts';
import { isDistributed } from './original.ts';
import type { Found } from './plan.ts';

/** The configuration of the package, which nobody has edited. */
const SHIPPED = '/usr/share/gbrowse-aws-balancer/aws_balancer.conf';
/** Where the settings of another GBrowse are after the package was installed (`README.Debian`). */
const OLD_SETTINGS = [`${SETTINGS_FILE}.gbrowse`, `${SETTINGS_FILE}.local`];
/** The example for an executable without the package. */
const PLAIN =
  '[LOAD TABLE]\n#req/s  min max\n0.1     0   1\n0.5     0   2\n1.0     1   3\n5.0     3   6\n10.0    6   8\n\n' +
  '[MASTER]\npoll_interval     = 0.5\nserver_status_url = http://localhost/server-status\nfarm              = live\n\n' +
  '[SLAVE]\ninstance_type     = m5.large m6i.large m5a.large\nspot_bid          = 0.10\nports             = 8101\n';

/** The files that setup reads or writes. */
export type Files = {
  readonly configuration: Found;
  /** The text of the configuration file before anybody edited it. */
  readonly example: string;
  /** Whether somebody has edited the configuration file. */
  readonly isDecided: boolean;
  /** Configuration files of the Perl original. */
  readonly originals: readonly { readonly file: string; readonly text: string }[];
  readonly service: Found;
  /** Settings of the original's service, with keys in them. */
  readonly oldSettings: readonly OldSettings[];
};

export type OldSettings = {
  readonly file: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Whether users other than its owner can read it. */
  readonly isOpen: boolean;
};

/**
 * @param given `--conf`
 * @throws {UserError} when the configuration file cannot be read, or is no text
 */
export async function findFiles(given: string | undefined): Promise<Files> {
  const service = await find(SETTINGS_FILE);
  const { CONFFILE } = parseSettings(service.text ?? '');
  const file = given ?? CONFFILE ?? '/etc/gbrowse2/aws_balancer.conf';
  const configuration = await find(file);
  const example = (await find(SHIPPED)).text ?? PLAIN;
  const others = await Promise.all(CONFIG_FILES.filter(place => place !== file).map(place => find(place)));
  return {
    configuration,
    example,
    isDecided:
      configuration.text !== undefined &&
      configuration.text !== example &&
      !isDistributed(configuration.text),
    originals: others.flatMap(other => (other.text === undefined ? [] : [{ ...other, text: other.text }])),
    service,
    oldSettings: (await Promise.all(OLD_SETTINGS.map(findOldSettings))).flat(),
  };
}

async function find(file: string): Promise<Found> {
  try {
    await stat(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return { file, text: undefined };
  }
  return { file, ...(await readConfigFile(file)) };
}

async function findOldSettings(file: string): Promise<readonly OldSettings[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const { ACCESS_KEY = '', SECRET_KEY = '' } = parseSettings(text ?? '');
  if ([ACCESS_KEY, SECRET_KEY].some(key => key === '' || /^YOUR_EC2_\w+_HERE$/.test(key))) return [];
  const { mode } = await stat(file);
  return [{ file, accessKey: ACCESS_KEY, secretKey: SECRET_KEY, isOpen: (mode & 0o077) !== 0 }];
}

/** What is known about this machine's GBrowse, in sentences. */
export async function describeGBrowse(): Promise<readonly string[]> {
  const version = await run(
    ['perl', '-MBio::Graphics::Browser2', '-e', 'print "\\n", Bio::Graphics::Browser2->VERSION'],
    { timeLimit: 20_000, what: 'Perl', env: PLAIN_ENVIRONMENT },
  ).catch(() => undefined);
  try {
    const [first] = (await findInstallations()).installations;
    const number = version?.trim().split('\n').at(-1);
    const which = number === undefined ? 'GBrowse' : `GBrowse ${number}`;
    if (first === undefined)
      return [
        `${which}: there is no GBrowse.conf in the usual places. Install GBrowse first, or set renderfarm_conf.`,
      ];
    const ways = [...new Set(findResidents(Date.now()).map(({ runsAs }) => runsAs))];
    const how = ways.length === 0 ? 'as CGI, or nobody has used it yet' : `as ${ways.join(' and ')}`;
    return [`${which}: configured in ${first.directory}; it runs ${how}.`];
  } catch (error) {
    if (!isUserError(error)) throw error;
    return [`GBrowse: ${error.message}.`];
  }
}
