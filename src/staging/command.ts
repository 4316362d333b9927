import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openEnvironment } from '../daemon/environment.ts';
import { failure, systemCode } from '../errors.ts';

/** How a program ended, and what it said. */
export type Ended = {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandOptions = {
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Ends it (SIGTERM) when it aborts. */
  readonly signal?: AbortSignal;
  /** What it writes on standard output, as it comes; `stdout` of the answer is empty then. */
  readonly onOutput?: (text: string) => void;
};

/** Of what a program says on stderr, the end is kept. */
const KEPT_ERRORS = 16_384;

/**
 * Runs a program to its end, whatever that is. It ends with this process, however that ends, and it does not see our
 * credentials.
 *
 * @throws {UserError} when there is no such program; the signal's reason when it aborts
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  options.signal?.throwIfAborted();
  const child = startCommand(argv, 'pipe');
  const stop = () => void child.kill('SIGTERM');
  options.signal?.addEventListener('abort', stop, { once: true });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (options.onOutput === undefined) stdout += text;
    else options.onOutput(text);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_ERRORS);
  });
  // A program that ends before it has read everything is its own affair.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', code => resolve(code));
    });
    options.signal?.throwIfAborted();
    return { status, stdout, stderr };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw missingProgram(argv[0] ?? '');
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/** Starts a program that ends with this process. */
export function startCommand(argv: readonly string[], output: 'pipe' | 'ignore'): ChildProcess {
  const [command = '', ...args] = SETPRIV === undefined ? argv : [SETPRIV, '--pdeathsig', 'KILL', ...argv];
  if (SETPRIV !== undefined && findProgram(argv[0] ?? '') === undefined) throw missingProgram(argv[0] ?? '');
  return spawn(command, args, {
    env: { ...openEnvironment(process.env), LC_ALL: 'C', PATH: SEARCH_PATH.join(':') },
    stdio: ['pipe', output, 'pipe'],
  });
}

/** The end of what a program said on stderr, on one line, for an error. */
export function lastWords({ stderr }: Pick<Ended, 'stderr'>, lines = 2): string {
  const said = stderr
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

/** What an administrator's shell has, and where the system's own programs are in any case. */
const SEARCH_PATH = [
  ...new Set([
    ...(process.env.PATH ?? '').split(':').filter(Boolean),
    ...['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
  ]),
];

/** util-linux 2.33 and later: `--pdeathsig` ends a program with its parent. */
const SETPRIV = findProgram('setpriv');

function missingProgram(name: string): Error {
  const packages: Readonly<Record<string, string>> = {
    rsync: 'rsync',
    ssh: 'openssh-client',
    'ssh-keygen': 'openssh-client',
  };
  const hint = packages[name] === undefined ? '' : `; install it (Debian's package ${packages[name]})`;
  return failure(`the program ${name} is not on this machine${hint}`);
}

/** What goes wrong in a program, as an error of ours. */
export function commandFailure(what: string, ended: Ended): Error {
  const words = lastWords(ended);
  const status = ended.status === null ? 'was ended by a signal' : `failed with status ${ended.status}`;
  return failure(`${what} ${status}${words === '' ? '' : `: ${words}`}`);
}
