import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SECOND } from '../clock.ts';
import { failure, systemCode, usageError } from '../errors.ts';
import { PLAIN_ENVIRONMENT } from '../os/run.ts';

/** A user of this machine. */
export type Account = {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  /** All groups, the primary one too. */
  readonly groups: readonly number[];
  readonly home: string;
};

/** A directory service that does not answer must not hold up the start for ever. */
const LOOK_UP_LIMIT = 20 * SECOND;

/** getent(1): the key was not found. */
const NOT_FOUND = 2;

/**
 * Finds a user, wherever the machine keeps users (files, LDAP): Node itself has no getpwnam(3).
 *
 * @throws {UserError} (2) when there is no such user
 */
export async function lookUpAccount(name: string): Promise<Account> {
  const entry = await run('getent', ['passwd', '--', name]).catch((error: unknown) => {
    if (exitCode(error) === NOT_FOUND) {
      throw usageError(
        `--user ${name}: this machine has no user of that name; create it, or name another one`,
      );
    }
    throw failure(`--user ${name}: cannot look up the user with getent (${reasonOf(error)})`, {
      cause: error,
    });
  });
  // passwd(5): name:password:uid:gid:gecos:directory:shell
  const [found = name, , uid, gid, , home = ''] = entry.trim().split(':');
  const groups = await run('id', ['-G', '--', found]).catch((error: unknown) => {
    throw failure(`--user ${name}: cannot look up its groups with id (${reasonOf(error)})`, {
      cause: error,
    });
  });
  return {
    name: found,
    uid: numberOf(uid),
    gid: numberOf(gid),
    groups: groups.trim().split(' ').map(numberOf),
    home: home === '' ? '/' : home,
  };
}

/**
 * Whether the process has to become that user: false if it is that user already.
 *
 * @throws {UserError} (1) when it may not, because it was not started as root
 */
export function mustBecome(account: Account): boolean {
  const uid = process.getuid?.();
  if (uid === account.uid) return false;
  if (uid === 0) return true;
  throw failure(
    `--user ${account.name}: only root can become another user; start as root, or without --user`,
  );
}

/**
 * Makes this process permanently an ordinary process of that user, with the user's groups.
 *
 * @throws {Error} when root's rights would still be there
 */
export function dropPrivileges(account: Account): void {
  process.setgroups?.(account.groups);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  if (process.getuid?.() !== account.uid || process.geteuid?.() !== account.uid || canBecomeRoot()) {
    throw new Error(`this process could not give up root's rights for those of ${account.name}`);
  }
  // The AWS SDK looks for its files in HOME, and root's are not this user's.
  Object.assign(process.env, { HOME: account.home, USER: account.name, LOGNAME: account.name });
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    // Root takes no program from the caller's PATH.
    env: { ...PLAIN_ENVIRONMENT },
    timeout: LOOK_UP_LIMIT,
  });
  return stdout;
}

function exitCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return systemCode(error) ?? `exit status ${String(exitCode(error))}`;
}

function numberOf(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`not a user or group id: ${text}`);
  return Number(text);
}
