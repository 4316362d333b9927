import { readTextFile } from '../gbrowse/read-file.ts';
import { readBeginning } from '../os/read-beginning.ts';

/** The settings of the service, which the init script and the systemd unit source. */
export const SETTINGS_FILE = '/etc/default/gbrowse-aws-balancer';

/** More of the file (bytes) is not read. */
const LARGEST = 1024 * 1024;

/** Variables of the settings file. */
export type ServiceSettings = Readonly<
  Partial<Record<'USER' | 'CONFFILE' | 'ACCESS_KEY' | 'SECRET_KEY' | 'DAEMON_OPTS', string>>
>;

/** Variables that the balancer and the AWS SDK read. */
const TAKEN = /^(AWS_\w+|EC2_\w+|https?_proxy|no_proxy)$/i;

/**
 * Reads the settings of the service. Only plain assignments are understood; what the shell would have to expand is
 * ignored.
 *
 * @returns undefined where there is no such file, or we may not read it
 */
export async function serviceSettings(file: string): Promise<ServiceSettings | undefined> {
  const text = await readTextFile(file).catch(() => undefined);
  return text === undefined ? undefined : parseSettings(text);
}

/**
 * Adds to root's environment what the service has in its own: the keys of the settings file, if the environment has
 * none, and the variables that the file exports, if they are not set. The file is read, and never run.
 */
export function takeServiceSettings(file: string, env: NodeJS.ProcessEnv): void {
  const bytes = readBeginning(file, LARGEST);
  if (bytes === undefined) return;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const exported = parseSettings(text.replaceAll(/^(?![ \t]*export[ \t]).*$/gm, ''));
  for (const [name, value] of Object.entries(exported)) {
    if (TAKEN.test(name)) env[name] ??= value;
  }
  if (env.EC2_ACCESS_KEY !== undefined || env.EC2_SECRET_KEY !== undefined) return;
  const { ACCESS_KEY, SECRET_KEY } = parseSettings(text);
  if (ACCESS_KEY !== undefined) env.EC2_ACCESS_KEY = ACCESS_KEY;
  if (SECRET_KEY !== undefined) env.EC2_SECRET_KEY = SECRET_KEY;
}

const ONE = /(?<!\w)(\w+)=(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\#;&|]*))(?=[ \t]|$)/.source;

const LINE = new RegExp(`^[ \\t]*(?:export[ \\t]+)?(${ONE}(?:[ \\t]+${ONE})*)[ \\t]*(?:#.*)?$`, 'gm');
const ASSIGNMENT = new RegExp(ONE, 'g');

/** The assignments of a shell file, one or several to a line; the last of each counts. */
export function parseSettings(text: string): ServiceSettings & Readonly<Record<string, string>> {
  const assignments = [...text.matchAll(LINE)].flatMap(([, all = '']) => [...all.matchAll(ASSIGNMENT)]);
  return Object.fromEntries(
    assignments.flatMap(([, name = '', double, single, plain]) => {
      const value = double ?? single ?? plain ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}
