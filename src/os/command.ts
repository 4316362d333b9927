import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { MINUTE, SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';

/** How a program ended, and what it said. */
export type Ended = {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** The rights with which a program runs. */
export type Rights = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };

export type CommandOptions = {
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Ends it (SIGTERM) when it aborts. */
  readonly signal?: AbortSignal;
  /** What it writes on standard output, as it comes; `stdout` of the answer is empty then. */
  readonly onOutput?: (text: string) => void;
  /** How long (ms) it may take; unset: 10 minutes, and without a limit where `onOutput` shows what it does. */
  readonly timeLimit?: number;
  /** Unset: our own. */
  readonly rights?: Rights;
};

/** Only the end of stderr is kept (characters). */
const KEPT_ERRORS = 16_384;
/** No program that is run here writes more to stdout (characters). */
const MOST_OUTPUT = 4 * 1024 ** 2;
const TIME_LIMIT = 10 * MINUTE;
/** Time from the request to end until SIGKILL. */
const ENDING_LIMIT = 10 * SECOND;

/**
 * Runs a program to its end, successful or not. It ends with this process in any case, and gets nothing of our
 * environment.
 *
 * @throws {UserError} when there is no such program, it takes too long or says too much; the signal's reason when it
 *   aborts
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const { signal, onOutput } = options;
  signal?.throwIfAborted();
  const child = startCommand(argv, 'pipe', options.rights);
  let excess: string | undefined;
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGTERM');
    killer ??= setTimeout(() => child.kill('SIGKILL'), ENDING_LIMIT);
  };
  const timeLimit = options.timeLimit ?? (onOutput === undefined ? TIME_LIMIT : undefined);
  const timer =
    timeLimit === undefined
      ? undefined
      : setTimeout(() => {
          excess = `did not end within ${Math.round(timeLimit / SECOND)} seconds`;
          stop();
        }, timeLimit);
  signal?.addEventListener('abort', stop, { once: true });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (onOutput !== undefined) return onOutput(text);
    stdout += text;
    if (stdout.length <= MOST_OUTPUT) return;
    excess = `wrote more than ${MOST_OUTPUT} characters`;
    stdout = '';
    stop();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_ERRORS);
  });
  // A program may end before it has read everything.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', code => resolve(code));
    });
    signal?.throwIfAborted();
    if (excess !== undefined) throw failure(`${argv.slice(0, 2).join(' ')} ${excess}`);
    return { status, stdout, stderr };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw missingProgram(argv[0] ?? '');
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * Starts a program that ends with this process, and gets nothing of our environment.
 *
 * @throws {UserError} when there is no such program
 */
export function startCommand(
  argv: readonly string[],
  output: 'pipe' | 'ignore',
  rights?: Rights,
): ChildProcess {
  const [name = '', ...args] = argv;
  const program = findProgram(name);
  if (program === undefined) throw missingProgram(name);
  const before =
    SETPRIV === undefined
      ? []
      : [SETPRIV, '--pdeathsig', 'KILL', ...(rights ? withRights(rights) : []), '--'];
  if (SETPRIV === undefined && rights !== undefined) throw missingProgram('setpriv');
  const [command = '', ...words] = [...before, program, ...args];
  return spawn(command, words, { cwd: '/', env: ENVIRONMENT, stdio: ['pipe', output, 'pipe'] });
}

/** The options of setpriv(1) that take somebody's rights, and give up all others for good. */
export function withRights({ uid, gid, groups }: Rights): readonly string[] {
  const others = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
  return [`--reuid=${uid}`, `--regid=${gid}`, others];
}

/** The end of a program's output, on one line, for an error. */
export function lastWords(output: string, lines = 2): string {
  const said = output
    .replaceAll(/[^\P{Cc}\n\r]/gu, ' ')
    .split(/[\n\r]/)
    .map(line => line.trim())
    .filter(line => line !== '');
  return said.slice(-lines).join(' / ');
}

/** Where a program is; undefined when it is nowhere. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  return SEARCH_PATH.map(directory => path.join(directory, name)).find(it => existsSync(it));
}

/** Where the system keeps its own programs. Root looks nowhere else. */
const SYSTEM_PATH = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];
const SEARCH_PATH =
  process.getuid?.() === 0
    ? SYSTEM_PATH
    : [...new Set([...(process.env.PATH ?? '').split(':').filter(it => it.startsWith('/')), ...SYSTEM_PATH])];

/** Everything that a program gets of an environment. */
export const ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: 'C', PATH: SEARCH_PATH.join(':') };

/** util-linux 2.33 and later: `--pdeathsig` ends a program with its parent. */
const SETPRIV = findProgram('setpriv');

/** The Debian packages of programs that sync needs. */
const PACKAGES: Readonly<Record<string, string>> = {
  rsync: 'rsync',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  setpriv: 'util-linux',
  find: 'findutils',
};

/** The error for a program that this machine does not have. */
export function missingProgram(name: string): Error {
  const hint = PACKAGES[name] === undefined ? '' : `; install it (Debian's package ${PACKAGES[name]})`;
  return failure(`the program ${name} is not on this machine${hint}`);
}

/** The error for a program that failed. */
export function commandFailure(what: string, ended: Ended): Error {
  const words = lastWords(ended.stderr);
  const status = ended.status === null ? 'was ended by a signal' : `failed with status ${ended.status}`;
  return failure(`${what} ${status}${words === '' ? '' : `: ${words}`}`);
}
