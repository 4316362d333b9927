import { once } from 'node:events';
import { SECOND } from '../clock.ts';
import { isUserError, messageOf } from '../errors.ts';
import { createRedactor } from '../log/redact.ts';
import { credentialsIn, type Environment, secretEnvironment } from './environment.ts';
import { closeInheritedFiles } from './inherited.ts';
import { isRecord, isTextRecord } from './message.ts';
import { PROGRAM } from './self.ts';
import { spawnSelf } from './spawn-self.ts';

type BackgroundOptions = {
  /** The command line for the daemon, without the values of secrets. The daemon starts in our working directory. */
  readonly args: readonly string[];
  /** Secrets from the command line or from a prompt, by name. Those of the environment are passed on anyway. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Tells the person at the terminal how it went. */
  print(message: string): void;
};

/** How long to wait for the end of a daemon whose start failed; it has little left to do. */
const END_LIMIT = 10 * SECOND;

/** What a starting daemon tells the process that started it. */
type Verdict = { readonly message: string; readonly exitStatus: number };

/**
 * Starts this program again as a daemon, in its own session, and waits until its start is complete or has failed. After
 * that nothing connects it to this process.
 *
 * @returns the exit status for this process: 0 when the daemon is up, its own when it has failed
 */
export async function startInBackground({ args, secrets, print }: BackgroundOptions): Promise<number> {
  const child = spawnSelf('background', { args, title: PROGRAM, detached: true, stderr: 'ignore' });
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
  let exit: { status: number | null; signal: NodeJS.Signals | null } | undefined;
  // The channel may still hold a verdict after the process has ended: it died without one only if the channel is
  // closed, too.
  const died = () => {
    if (exit === undefined || child.connected) return;
    const how = exit.signal === null ? `exit status ${exit.status}` : `signal ${exit.signal}`;
    resolve({ message: `the balancer ended while it was starting (${how})`, exitStatus: exit.status || 1 });
  };
  child.once('error', reject);
  child.once('exit', (status, signal) => {
    exit = { status, signal };
    died();
  });
  child.once('disconnect', died);
  child.on('message', message => {
    if (isVerdict(message)) resolve(message);
  });
  child.send({ secrets, environment: secretEnvironment(process.env) }, error => {
    if (error !== null) died();
  });

  const { message, exitStatus } = await promise;
  if (message !== '') print(message);
  if (exitStatus !== 0 && exit === undefined) {
    // An immediate second attempt must not find the pidfile of the daemon that is ending.
    await once(child, 'exit', { signal: AbortSignal.timeout(END_LIMIT) }).catch(() => {});
  }
  if (child.connected) child.disconnect();
  child.unref();
  return exitStatus;
}

/** The daemon's side. */
export type BackgroundChannel = {
  /** As given to `startInBackground`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The start is complete: the waiting process prints the message and ends with status 0. */
  started(message?: string): Promise<void>;
  /** The start has failed: the waiting process prints why, and ends with the status of the error. */
  failed(error: unknown): Promise<void>;
};

/**
 * Opens the channel to the process that started this one in the background. From then on the secrets of its environment
 * are in `process.env` (which `/proc/PID/environ` does not show). If that process ends before it gets the result of the
 * start, somebody interrupted it: then this process gets a SIGTERM.
 */
export async function backgroundChannel(): Promise<BackgroundChannel> {
  // A strict umask of the administrator's shell is not meant for the pidfile, which others may read.
  process.umask(0o022);
  closeInheritedFiles();
  const handOver = await firstMessage();
  Object.assign(process.env, handOver.environment);
  const { redact } = createRedactor([...Object.values(handOver.secrets), ...credentialsIn(process.env)]);
  let told = false;

  async function tell(verdict: Verdict): Promise<void> {
    if (told) return;
    told = true;
    process.off('disconnect', abandoned);
    process.off('uncaughtExceptionMonitor', crashed);
    if (!process.connected) return;
    await new Promise(done => process.send?.({ ...verdict, message: redact(verdict.message) }, done));
    if (process.connected) process.disconnect();
  }
  function abandoned(): void {
    process.kill(process.pid, 'SIGTERM');
  }
  function crashed(error: Error): void {
    void tell({ message: error.stack ?? error.message, exitStatus: 1 });
  }
  process.once('disconnect', abandoned);
  process.once('uncaughtExceptionMonitor', crashed);

  return {
    secrets: handOver.secrets,
    async started(message = '') {
      // So that no file system that somebody may want to unmount is kept in use.
      process.chdir('/');
      await tell({ message, exitStatus: 0 });
    },
    async failed(error) {
      await tell(
        isUserError(error)
          ? { message: error.message, exitStatus: error.exitStatus }
          : {
              message: (error instanceof Error ? error.stack : undefined) ?? messageOf(error),
              exitStatus: 1,
            },
      );
    },
  };
}

type HandOver = { readonly secrets: Readonly<Record<string, string>>; readonly environment: Environment };

async function firstMessage(): Promise<HandOver> {
  const [message]: unknown[] = await once(process, 'message');
  if (isRecord(message) && isTextRecord(message.secrets) && isTextRecord(message.environment)) {
    return { secrets: message.secrets, environment: message.environment };
  }
  throw new Error(
    'the process that started this one in the background sent something other than its secrets',
  );
}

function isVerdict(message: unknown): message is Verdict {
  return isRecord(message) && typeof message.message === 'string' && typeof message.exitStatus === 'number';
}
