import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '../../staging/command.ts';
import type { StartCommand } from './manager.ts';

/** A process of its own that starts a server again. */
export type Restarter = {
  /**
   * Has the server started.
   *
   * @returns the exit status of the command; 0 for one that stays
   */
  start(): Promise<number>;
};

/**
 * It waits for a word, or for the end of whoever should have said it: the server is started again also when this process
 * is killed. Signals that end a whole session do not reach it. A server that still ends is waited for; one that does
 * not end, because nobody has told it to, is left alone.
 */
const SCRIPT = `
: "\${PATH:=/usr/sbin:/usr/bin:/sbin:/bin}"
trap '' HUP INT TERM
read -r _word
looks=0
while [ -e "/proc/$RUNNING/exe" ]; do
  looks=$((looks + 1))
  [ $looks -lt 6000 ] || exit 1
  sleep 0.1
done
cd "$DIRECTORY" 2>/dev/null || cd /
unset DIRECTORY RUNNING
trap - HUP INT TERM
if [ "$1" = stays ]; then
  shift
  "$@" </dev/null >/dev/null 2>&1 &
  echo 0
else
  shift
  "$@" </dev/null >/dev/null 2>&1
  echo $?
fi
`;

/**
 * Starts the process. From now on the server will be started again, whatever becomes of us.
 *
 * @param pid the server's, which has to end before
 */
export async function createRestarter(
  { argv, directory, environment, stays }: StartCommand,
  pid: number,
): Promise<Restarter> {
  // Its PATH is the server's own, or none.
  const [command = '', ...args] = argv;
  const child: ChildProcess = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'sh', stays ? 'stays' : 'ends', findProgram(command) ?? command, ...args],
    {
      cwd: '/',
      env: { ...environment, DIRECTORY: directory, RUNNING: String(pid) },
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  child.stdin?.on('error', () => {});
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'spawn');
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
