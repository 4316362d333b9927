import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { failure, messageOf } from '../errors.ts';
import { findProgram, missingProgram } from '../os/command.ts';
import { type HostKey, knownHosts } from './console.ts';

/** A slave that can be logged in to. */
export type Destination = {
  /** The name that its host keys are known by. */
  readonly instanceId: string;
  readonly address: string;
  readonly login: string;
  readonly hostKeys: readonly HostKey[];
  /** The file of the private key; unset: what ssh finds itself. */
  readonly identity?: string;
};

/** ssh's own exit status, when there is no connection. */
export const NO_CONNECTION = 255;

/**
 * The options of ssh: only the keys of this slave are accepted, no setting of anybody's changes that, and nothing is
 * asked except the passphrase of a private key.
 */
export function sshOptions(destination: Destination, knownHostsFile: string): readonly string[] {
  const { instanceId, login, identity } = destination;
  const options = [
    `UserKnownHostsFile=${fileWord(knownHostsFile)}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    `HostKeyAlias=${instanceId}`,
    'UpdateHostKeys=no',
    'CheckHostIP=no',
    'VerifyHostKeyDNS=no',
    'PreferredAuthentications=publickey',
    'ForwardAgent=no',
    'ConnectTimeout=10',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    // Not -i, which expands % as well, but looks for the file under the name with %%.
    ...(identity === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile=${fileWord(identity)}`]),
  ];
  return [...['-F', 'none'], ...options.flatMap(it => ['-o', it]), ...['-l', login]];
}

/** A file name as an option of ssh has it: ssh expands % and wants quotes around blanks. */
function fileWord(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}

/** What ssh needs of the environment; keys of AWS are not part of it. */
const PASSED_ON =
  /^(HOME|USER|LOGNAME|PATH|TERM|LANG|LC_\w+|SSH_AUTH_SOCK|SSH_ASKPASS\w*|DISPLAY|WAYLAND_DISPLAY)$/;

type HowToRun = {
  /** More options of ssh, such as `-t`. */
  readonly options?: readonly string[];
  /** What it runs there; unset: the login's shell. */
  readonly command?: readonly string[];
  readonly stdin: 'inherit' | 'ignore' | 'pipe';
  readonly stdout: 'inherit' | 'pipe';
  /** Given the process when it runs. */
  readonly onStart?: (child: ChildProcess) => void;
};

/**
 * Where the system's ssh is.
 *
 * @throws {UserError} where there is none
 */
export function requireSsh(): string {
  const program = findProgram('ssh');
  if (program === undefined) throw missingProgram('ssh');
  return program;
}

/**
 * Runs the system's ssh to its end. Its list of known hosts lies in a directory that only this user can enter, and is
 * removed afterwards.
 *
 * @returns its exit status, which is that of the command there; 255 without a connection; 128 and the signal that ended it
 * @throws {UserError} without ssh, or when it cannot be started
 */
export async function runSsh(destination: Destination, how: HowToRun): Promise<number> {
  const program = requireSsh();
  const directory = await mkdtemp(path.join(tmpdir(), 'gbrowse-ssh-'));
  try {
    const file = path.join(directory, 'known_hosts');
    await writeFile(file, knownHosts(destination.instanceId, destination.hostKeys), { mode: 0o600 });
    const words = [
      ...sshOptions(destination, file),
      ...(how.options ?? []),
      '--',
      destination.address,
      ...(how.command ?? []),
    ];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
    const child = spawn(program, words, { env, stdio: [how.stdin, how.stdout, 'inherit'] });
    how.onStart?.(child);
    return await endOf(child);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Waits for its end; signals for this process are passed on, and do not end it before the list of known hosts is removed.
 * ssh itself ends with 255 after a signal, as without a connection, so the signal counts here.
 */
async function endOf(child: ChildProcess): Promise<number> {
  let passedOn: (typeof SIGNALS)[number] | undefined;
  const listeners = SIGNALS.map(signal => {
    const listener = () => {
      passedOn = signal;
      child.kill(signal);
    };
    return [signal, listener] as const;
  });
  for (const [signal, listener] of listeners) process.on(signal, listener);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', error =>
        reject(failure(`ssh cannot be started: ${messageOf(error)}`, { cause: error })),
      );
      child.once('close', (status, signal) => {
        const by = signal ?? (status === NO_CONNECTION ? passedOn : undefined);
        resolve(by === undefined ? (status ?? 1) : 128 + constants.signals[by]);
      });
    });
  } finally {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  }
}
