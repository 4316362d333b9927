import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { failure, isUserError, messageOf } from '../errors.ts';
import { lastWords } from './command.ts';

/** The environment of programs that are run for the administrator: nothing of the balancer's own, no credentials. */
export const PLAIN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

const KEPT_OUTPUT = 4096;
const SHOWN_LINES = 3;
/** How long output may still come after the program's end; a daemon that it started may keep the pipe open. */
const LAST_OUTPUT = 100;

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/**
 * Some reasons why a program cannot be started, such as words that are too long, are thrown at once; others come as an
 * event of the process, which has no streams then where no file descriptor is left.
 */
function start(command: string, args: readonly string[], options: SpawnOptions, what: string): ChildProcess {
  try {
    return spawn(command, args, options);
  } catch (error) {
    throw cannotStart(what, error);
  }
}

function cannotStart(what: string, error: unknown): Error {
  return failure(`${what} cannot be started: ${messageOf(error)}`, { cause: error });
}

/**
 * Runs a program of the administrator's (`runCommand` is for our own work), which may start a daemon, to its end. If it
 * takes too long, it is killed with everything that it started. Only the last 4 kB of its output are kept.
 *
 * @param timeLimit ms
 * @returns the end of its output, of stdout and stderr together
 * @throws {UserError} when it cannot be started, fails or takes too long; with the last lines of its output
 */
export async function run(
  [command, ...args]: readonly [string, ...string[]],
  {
    timeLimit,
    env = PLAIN_ENVIRONMENT,
    as,
    what,
    input,
    signal,
  }: {
    readonly timeLimit: number;
    readonly env?: Readonly<Record<string, string>>;
    /** The user and group to run it as, without other groups; unset: our own. */
    readonly as?: { readonly uid: number; readonly gid: number };
    /** How an error calls it. */
    readonly what: string;
    /** What it reads from its standard input; unset: nothing. */
    readonly input?: string;
    /** Kills it, with everything that it started, when it aborts. */
    readonly signal?: AbortSignal;
  },
): Promise<string> {
  const child = start(
    command,
    args,
    { cwd: '/', env: { ...env }, detached: true, ...(as ?? {}), stdio: ['pipe', 'pipe', 'pipe'] },
    what,
  );
  // It may end before it has read everything.
  child.stdin?.on('error', () => {}).end(input ?? '');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeLimit);
  const stop = () => killGroup(child.pid);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let lastOutput: NodeJS.Timeout | undefined;
  try {
    const end = await new Promise<{ status: number | null; signal: string | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve({ status, signal }));
      child.once('exit', (status, signal) => {
        lastOutput = setTimeout(() => resolve({ status, signal }), LAST_OUTPUT);
      });
    });
    if (end.status === 0) return output;
    const how = timedOut
      ? `took longer than ${timeLimit / 1000} s and was killed`
      : end.signal === null
        ? `failed with exit status ${end.status}`
        : `was killed by ${end.signal}`;
    const said = lastWords(output, SHOWN_LINES);
    throw failure(`${what} ${how}${said === '' ? '' : `: ${said}`}`);
  } catch (error) {
    if (isUserError(error)) throw error;
    throw cannotStart(what, error);
  } finally {
    clearTimeout(timer);
    clearTimeout(lastOutput);
    signal?.removeEventListener('abort', stop);
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}
