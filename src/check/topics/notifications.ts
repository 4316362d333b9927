import { constants, existsSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Account, lookUpAccount } from '../../daemon/privileges.ts';
import { isUserError } from '../../errors.ts';
import { harmless } from '../../format/harmless.ts';
import { send, testLetter } from '../../notify/send.ts';
import { PLAIN_ENVIRONMENT } from '../../os/run.ts';
import { type Finding, notChecked, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** Whether there is the program of `[MASTER] notify`, and the balancer may run it. */
export const notifications: Topic = {
  name: 'notify',
  async check(world) {
    const { notify } = (await world.config()).master;
    if (notify === undefined) return [];
    const place = await world.place('MASTER', 'notify');
    const asRoot = await rootFinding(world, place);
    if (asRoot !== undefined) return [asRoot];
    const program = programIn(notify);
    if (program === undefined)
      return [ok(`${place}: notify is a command for the shell, which only a test message tries.`)];
    const found = await find(program);
    const name = harmless(program);
    if (found === undefined)
      return [
        problem(
          `${place}: notify runs ${name}, and there is no such program${program.includes('/') ? '' : ` in ${PLAIN_ENVIRONMENT.PATH}`}: nobody is told of a trouble.`,
          program === 'mail'
            ? 'Install it:\n    apt-get install bsd-mailx'
            : `Install ${name}, or give the path of a program.`,
        ),
      ];
    const isInSandbox = existsSync('/run/systemd/system') && (await world.service()) !== undefined;
    if (isInSandbox && (await gainsRights(found))) return [forbidden(place, name)];
    return [
      ok(
        `${place}: notify runs ${harmless(found)}; "gbrowse-aws-balancer check --notify" sends a test message.`,
      ),
    ];
  },
};

/** Programs that give a mail to a set-user-ID or set-group-ID program of the mail server. */
const MAILERS = new Set(['mail', 'mailx', 'bsd-mailx', 's-nail', 'mutt', 'sendmail', 'exim', 'exim4']);

/** A mail through the mail server's port, which needs no rights. */
export const MAIL_BY_PORT =
  '(printf \'To: root\\nSubject: %s\\n\\n\' "$SUBJECT"; cat) | curl -sS --crlf --mail-rcpt root -T - smtp://localhost';

async function gainsRights(file: string): Promise<boolean> {
  return MAILERS.has(path.basename(file)) || ((await stat(file)).mode & 0o6000) !== 0;
}

/** What the systemd unit of the package does not allow. */
export function forbidden(place: string, name: string): Finding {
  return warning(
    `${place}: notify runs ${name}, which needs a program with the rights of another user to send a mail. The package's systemd unit does not allow that (NoNewPrivileges, ProtectSystem), so it fails in the service even where a test message arrives.`,
    `Use a command that needs no rights, such as a mail by way of the mail server's port:\n    notify = ${MAIL_BY_PORT}`,
  );
}

/** `--notify`: a test message is sent, as the balancer's user. */
export const testMessage: Topic = {
  name: 'test message',
  async check(world) {
    const { notify } = (await world.config()).master;
    if (notify === undefined) {
      return [
        problem(
          'No test message was sent: [MASTER] notify is not set.',
          `In ${await world.place('MASTER', 'notify')}:\n    notify = mail -s "$SUBJECT" root`,
        ),
      ];
    }
    const asRoot = await rootFinding(world, await world.place('MASTER', 'notify'));
    if (asRoot !== undefined) throw notChecked('it would run as root');
    const account = await accountIn(world);
    const { name } = await world.site();
    try {
      await send(notify, testLetter(name), {
        signal: world.signal,
        ...(process.geteuid?.() === 0 && account !== undefined && { as: account }),
      });
    } catch (error) {
      if (!isUserError(error)) throw error;
      return [
        problem(
          `The test message was not sent: ${error.message}.`,
          'Correct the command in [MASTER] notify.',
        ),
      ];
    }
    return [ok('A test message was sent: the command ended with exit status 0. See whether it has arrived.')];
  },
};

/** The user that the balancer becomes: `--user`, else the service's. */
async function accountIn(world: World): Promise<Account | undefined> {
  const name = world.options.user ?? (await world.service())?.USER;
  return name === undefined ? undefined : await lookUpAccount(name);
}

async function rootFinding(world: World, place: string): Promise<Finding | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const account = await accountIn(world);
  if (account !== undefined && account.uid !== 0) return undefined;
  return warning(
    `${place}: notify is not run as root, so nobody is told of a trouble by a balancer of root's.`,
    `Give the balancer a user of its own: --user, or USER in ${world.edges.settingsFile}.`,
  );
}

/** The program that a command line begins with; undefined where only the shell can tell. */
export function programIn(command: string): string | undefined {
  const words = command.trim().split(/\s+/);
  const program = words.find(it => !/^[A-Za-z_]\w*=[^"'`$\\]*$/.test(it)) ?? '';
  return /^[\w./+-]+$/.test(program) && !SHELL_WORDS.has(program) ? program : undefined;
}

const SHELL_WORDS = new Set(
  'if for while until case cd exec exit export set test true false echo printf read umask command eval trap . :'.split(
    ' ',
  ),
);

async function find(program: string): Promise<string | undefined> {
  const places = program.includes('/')
    ? [path.resolve('/', program)]
    : (PLAIN_ENVIRONMENT.PATH ?? '').split(':').map(it => path.join(it, program));
  for (const place of places) if (await isExecutable(place)) return place;
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
