import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ENVIRONMENT, findProgram, missingProgram, type Rights, withRights } from '../../os/command.ts';
import type { RunningProcess } from '../../os/process.ts';

/** How much of a restart's output is read, characters. */
const MOST_OUTPUT = 64;

/** How a server is started. */
export type StartCommand = {
  readonly argv: readonly string[];
  /** Unset: our own. */
  readonly rights?: Rights;
  /** Set where the command is the server itself, which stays; unset where the command starts a server and ends. */
  readonly server?: {
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
  };
};

/** A separate process that restarts a server. */
type Restarter = {
  /**
   * Starts the server.
   *
   * @returns the exit status of the command; 0 for one that stays
   */
  start(): Promise<number>;
};

/**
 * It waits for a line on standard input, or for its end: the server is started again also when this process is killed.
 * Signals that end a whole session do not reach it. A server that is still ending is waited for; one that does not end,
 * because nobody has told it to, is left alone. Arguments: process id and start time of the server, `stays` or `ends`,
 * the command.
 */
const SCRIPT = `
trap '' HUP INT TERM
read -r _word
is_there() { # PID START-TIME
  { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1
  set -- "$2" \${line##*) }
  [ "\${2:-Z}" != Z ] && [ "\${21:-}" = "$1" ]
}
looks=0
while is_there "$1" "$2"; do
  looks=$((looks + 1))
  [ $looks -lt 6000 ] || exit 1
  sleep 0.1
done
trap - HUP INT TERM
kind=$3
shift 3
if [ "$kind" = stays ]; then
  "$@" </dev/null >/dev/null 2>&1 &
  echo 0
else
  "$@" </dev/null >/dev/null 2>&1 3<&-
  echo $?
fi
`;

/**
 * Runs with the server's own rights: only here its directory and environment count. The environment comes on descriptor
 * 3, so that it is on no command line. Arguments: the directory, the command.
 */
const DROPPED = `
eval "$(cat <&3)"
exec 3<&-
cd "$1" 2>/dev/null || cd /
shift
exec "$@"
`;

/**
 * Starts the process. From now on the server will be restarted, even if this process dies.
 *
 * @param old the server, which has to end before
 * @throws {UserError} when the command is not on this machine
 */
export async function createRestarter(
  { argv, rights, server }: StartCommand,
  old: Pick<RunningProcess, 'pid' | 'startTime'>,
): Promise<Restarter> {
  const [name = '', ...args] = argv;
  const program = server === undefined ? findProgram(name) : name;
  if (program === undefined) throw missingProgram(name);
  const command = [program, ...args];
  const withTheirs = rights === undefined ? [] : taking(rights);
  const words =
    server === undefined
      ? ['ends', ...withTheirs, ...command]
      : ['stays', ...withTheirs, '/bin/sh', '-c', DROPPED, 'sh', server.directory, ...command];
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(old.pid), old.startTime, ...words], {
    cwd: '/',
    env: ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
  });
  child.stdin?.on('error', () => {});
  const exports = child.stdio[3] as Writable;
  exports.on('error', () => {});
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    // A status; whatever a server writes besides is not kept.
    output = (output + text).slice(0, MOST_OUTPUT);
  });
  await once(child, 'spawn');
  await new Promise<void>(resolve => exports.end(exportsOf(server?.environment ?? {}), () => resolve()));
  const said = new Promise<number>(resolve => {
    child.stdout?.on('data', () => {
      if (output.endsWith('\n')) resolve(Number(output));
    });
    child.once('exit', () => resolve(output === '' ? 1 : Number(output)));
  });
  return {
    async start() {
      child.stdin?.end('start\n');
      const status = await said;
      child.stdout?.destroy();
      child.unref();
      return status;
    },
  };
}

function taking(rights: Rights): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) throw missingProgram('setpriv');
  return [setpriv, ...withRights(rights), '--'];
}

/** A shell's lines that set these variables and no others. */
function exportsOf(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).flatMap(([name, value]) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? [`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`] : [],
  );
  return ['unset LC_ALL\n', ...lines].join('');
}
