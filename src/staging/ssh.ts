import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { type Clock, SECOND } from '../clock.ts';
import { failure } from '../errors.ts';
import {
  type CommandOptions,
  commandFailure,
  type Ended,
  lastWords,
  runCommand,
  startCommand,
} from '../os/command.ts';
import { type Keys, STAGING } from './keys.ts';

/** A way to the staging machine over ssh. */
export type Ssh = {
  /** The word for `rsync -e`, and its host. */
  readonly rsh: string;
  readonly host: string;
  /** What makes a command root there: nothing, or sudo. */
  readonly asRoot: string;
  /** Makes sure that there is a connection; tries until `timeLimit` (ms) is over. */
  connect(timeLimit: number, signal: AbortSignal): Promise<void>;
  /** Runs a shell script as root there. `isBroken` recognises a broken connection. */
  script(text: string, options?: CommandOptions): Promise<Ended>;
  /** Does something with a TCP port there; it is given the port of this machine that leads to it meanwhile. */
  forward<T>(port: number, work: (local: number) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** ssh's own exit status, for a connection that could not be made or that broke. */
const SSH_FAILED = 255;
const BETWEEN_TRIES = SECOND;
/** How often the control socket is checked for, and how long at most. */
const LOOK = 50;
const LOGIN_LIMIT = 30 * SECOND;

/** Whether a remote command ended because the connection did. */
export function isBroken({ status }: Pick<Ended, 'status'>): boolean {
  return status === SSH_FAILED;
}

/** AES is done by the processor on all that sync meets today; the second is for sshd before 6.2. */
const CIPHERS = 'aes128-gcm@openssh.com,aes128-ctr,chacha20-poly1305@openssh.com';

/** ssh's configuration: without the host key that we gave the machine there is no connection. */
export function sshConfig(directory: string, address: string, login: string): string {
  return `Host ${STAGING}
  HostName ${address}
  User ${login}
  IdentityFile "${directory}/login"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${directory}/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  HostKeyAlias ${STAGING}
  HostKeyAlgorithms ssh-ed25519,ecdsa-sha2-nistp256
  CheckHostIP no
  BatchMode yes
  ConnectTimeout 10
  ServerAliveInterval 10
  ServerAliveCountMax 3
  Ciphers ${CIPHERS}
  Compression no
  ControlPath "${directory}/control"
  LogLevel ERROR
`;
}

/** Prepares ssh to a machine; everything goes over one connection. */
export async function openSsh(keys: Keys, address: string, login: string, clock: Clock): Promise<Ssh> {
  const { directory } = keys;
  const config = path.join(directory, 'ssh_config');
  const control = path.join(directory, 'control');
  await writeFile(config, sshConfig(directory, address, login));
  const asRoot = login === 'root' ? '' : 'sudo -n ';
  let main: { readonly child: ReturnType<typeof startCommand>; readonly ended: Promise<void> } | undefined;

  const isUp = () =>
    stat(control).then(
      () => true,
      () => false,
    );

  /** One try. @returns why not */
  async function tryOnce(signal: AbortSignal): Promise<string | undefined> {
    const child = startCommand(
      ['ssh', '-F', config, '-M', '-N', '-o', 'ExitOnForwardFailure=yes', STAGING],
      'ignore',
    );
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4096);
    });
    child.stdin?.on('error', () => {});
    let over = false;
    const ended = new Promise<void>(resolve => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    }).then(() => {
      over = true;
    });
    const until = clock.monotonic() + LOGIN_LIMIT;
    while (!over && clock.monotonic() < until) {
      if (await isUp()) {
        main = { child, ended };
        return undefined;
      }
      await clock.sleep(LOOK, signal).catch(() => child.kill('SIGKILL'));
      signal.throwIfAborted();
    }
    child.kill('SIGKILL');
    await ended;
    return lastWords(stderr) || 'no answer';
  }

  async function close(): Promise<void> {
    main?.child.kill('SIGTERM');
    await main?.ended;
    main = undefined;
  }

  return {
    rsh: `ssh -F "${config}"`,
    host: STAGING,
    asRoot,
    async connect(timeLimit, signal) {
      if (
        main !== undefined &&
        main.child.exitCode === null &&
        main.child.signalCode === null &&
        (await isUp())
      ) {
        const check = await runCommand(['ssh', '-F', config, STAGING, 'true'], { signal });
        if (check.status === 0) return;
      }
      await close();
      const until = clock.monotonic() + timeLimit;
      let why: string | undefined = '';
      while (why !== undefined) {
        why = await tryOnce(signal);
        if (why === undefined) return;
        if (clock.monotonic() >= until) throw noConnection(address, login, why);
        await clock.sleep(BETWEEN_TRIES, signal);
      }
    },
    async forward(port, work) {
      const local = await freePort();
      const way = `127.0.0.1:${local}:127.0.0.1:${port}`;
      const ask = (what: string) => runCommand(['ssh', '-F', config, '-O', what, '-L', way, STAGING]);
      const opened = await ask('forward');
      if (opened.status !== 0) throw commandFailure('opening a connection to the staging instance', opened);
      try {
        return await work(local);
      } finally {
        await ask('cancel');
      }
    },
    script: (text, options) =>
      runCommand(['ssh', '-F', config, STAGING, `${asRoot}sh -s`], { ...options, input: text }),
    close,
  };
}

/** A TCP port of this machine that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function noConnection(address: string, login: string, why: string): Error {
  const hint = /[Pp]ermission denied/.test(why)
    ? `the image has not run its user-data, or ${login} may not log in; set [SLAVE] ssh_user to the image's login`
    : /[Hh]ost key verification/.test(why)
      ? 'the image has not run its user-data, which brings the host key'
      : 'check whether this machine can make ssh connections (TCP port 22) to EC2';
  return failure(`no ssh connection to the staging instance at ${address}: ${why}; ${hint}`);
}
