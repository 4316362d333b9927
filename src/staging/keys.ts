import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failure } from '../errors.ts';
import { commandFailure, runCommand } from '../os/command.ts';
import { findProcess } from '../os/process.ts';

/** Keys for one staging machine: ours to log in with, and its own, which we give it so that we know it. */
export type Keys = {
  /** A directory that only we can read; it contains the private keys. */
  readonly directory: string;
  /** The public half of our own, as a line of authorized_keys. */
  readonly login: string;
  /** The machine's private keys, by the name that sshd knows each by. */
  readonly host: Readonly<Record<string, string>>;
  /** Removes them all. */
  remove(): Promise<void>;
};

/** By what name ssh knows the staging machine, whatever its address. */
export const STAGING = 'staging';

/** The ssh of images from 2012 on has one of these; what each has in common with today's is ECDSA. */
const HOST_KEYS = [
  { file: 'ssh_host_ed25519_key', type: ['-t', 'ed25519'] },
  // PEM is the only form that an old sshd reads.
  { file: 'ssh_host_ecdsa_key', type: ['-t', 'ecdsa', '-b', '256', '-m', 'PEM'] },
];

const PREFIX = 'gbrowse-sync-';
const OF_A_PROCESS = new RegExp(`^${PREFIX}(\\d+)-`);

/** Where root's directories of keys lie: no other user can write there, and it is no disk. */
const ROOTS_PLACE = '/run/gbrowse-aws-balancer-keys';

/**
 * Makes the keys, and the list of known hosts that has nobody but the staging machine.
 *
 * @throws {UserError} without ssh-keygen
 */
export async function makeKeys(): Promise<Keys> {
  const parent = process.getuid?.() === 0 ? await rootsPlace() : tmpdir();
  await removeStale(parent);
  const directory = await mkdtemp(path.join(parent, `${PREFIX}${process.pid}-`));
  const place = (name: string) => path.join(directory, name);
  const make = async (name: string, type: readonly string[]) => {
    const what = [
      'ssh-keygen',
      '-q',
      ...type,
      '-N',
      '',
      '-C',
      'gbrowse-aws-balancer-sync',
      '-f',
      place(name),
    ];
    const ended = await runCommand(what);
    if (ended.status !== 0) throw commandFailure('ssh-keygen', ended);
    return (await readFile(`${place(name)}.pub`, 'utf8')).trim();
  };
  try {
    const [login = '', ...known] = await Promise.all([
      make('login', ['-t', 'ecdsa', '-b', '256']),
      ...HOST_KEYS.map(({ file, type }) => make(file, type)),
    ]);
    await writeFile(place('known_hosts'), known.map(key => `${STAGING} ${key}\n`).join(''));
    const host = Object.fromEntries(
      await Promise.all(
        HOST_KEYS.map(async ({ file }) => [file, await readFile(place(file), 'utf8')] as const),
      ),
    );
    // From now on only the machine has them.
    await Promise.all(HOST_KEYS.map(({ file }) => rm(place(file))));
    return { directory, login, host, remove: () => rm(directory, { recursive: true, force: true }) };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function rootsPlace(): Promise<string> {
  await mkdir(ROOTS_PLACE, { mode: 0o700 }).catch(() => {});
  const found = await lstat(ROOTS_PLACE);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o077) !== 0) {
    throw failure(`${ROOTS_PLACE} must be a directory that only root can enter; remove it, and try again`);
  }
  return ROOTS_PLACE;
}

/**
 * Removes the keys that a killed run of ours has left behind; their machines are gone, or will be soon. They are
 * recognised by owner and mode, and links are not followed, so that nobody can substitute another directory.
 */
async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = OF_A_PROCESS.exec(name)?.[1];
    if (pid === undefined || findProcess(Number(pid)) !== undefined) continue;
    const place = path.join(parent, name);
    const found = await lstat(place).catch(() => undefined);
    const isOurs = found?.isDirectory() === true && found.uid === process.getuid?.();
    if (isOurs && (found.mode & 0o077) === 0) await rm(place, { recursive: true, force: true });
  }
}
