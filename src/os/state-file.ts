import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { isUserError, messageOf, systemCode } from '../errors.ts';
import { replaceFile } from './replace-file.ts';

/** What a state file is about, and how its content is checked. */
export type StateKind<T> = {
  /** Part of the file's name, such as `budget`. */
  readonly name: string;
  /** Goes up when an older program would misread the value. */
  readonly version: number;
  /** A longer file is not read. */
  readonly mostBytes: number;
  /** Whether a value that was written in the future, by a clock that has been set back since, is used all the same. */
  readonly mayBeFuture?: true;
  /** The value, when it is one of this kind. */
  understand(value: unknown): T | undefined;
};

/**
 * What a state file says:
 * - `missing`: there is none;
 * - `value`: what was written at `writtenAt` (wall clock ms);
 * - `unusable`: it is not used, and `why` completes "FILE is not used: …".
 */
export type StateRead<T> =
  | { readonly kind: 'missing' }
  | { readonly kind: 'value'; readonly value: T; readonly writtenAt: number }
  | { readonly kind: 'unusable'; readonly why: string };

/** Tolerance for a clock that was a little ahead when the file was written. */
const FUTURE_TOLERATED = 10 * 60_000;

/** Where the state of a master lies: masters of one machine share the directory. */
export function stateFileOf(
  directory: string,
  kind: Pick<StateKind<unknown>, 'name'>,
  master: string,
): string {
  const hash = createHash('sha256').update(master).digest('hex').slice(0, 12);
  return path.join(directory, `${kind.name}-${hash}.state`);
}

/** Whether a name in the state directory is that of a state file, or of one that is being written. */
export function isStateFileName(name: string): boolean {
  return /^\.?[a-z-]+-[0-9a-f]{12}\.state(\.balancer-\d+)?$/.test(name);
}

/**
 * Reads a state file. Only a plain file is used that no other user can read or change, and that is about this master.
 * Never throws.
 *
 * @param now wall clock ms
 */
export async function readState<T>(
  file: string,
  kind: StateKind<T>,
  { master, now }: { readonly master: string; readonly now: number },
): Promise<StateRead<T>> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) return unusable('it is not a regular file');
    if (stats.uid !== process.geteuid?.()) return unusable('it belongs to another user');
    if ((stats.mode & 0o077) !== 0) return unusable('other users may read or write it');
    if (stats.size > kind.mostBytes) return unusable(`it is larger than ${kind.mostBytes} bytes`);
    return understandState(await handle.readFile('utf8'), kind, master, now);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return { kind: 'missing' };
    return unusable(code === 'ELOOP' ? 'it is a symbolic link' : messageOf(error));
  } finally {
    await handle?.close().catch(() => {});
  }
}

/**
 * What the text of a state file says to its master.
 *
 * @param now wall clock ms
 */
export function understandState<T>(
  text: string,
  kind: StateKind<T>,
  master: string,
  now: number,
): StateRead<T> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return unusable('it is incomplete or damaged');
  }
  const fields = new Map<string, unknown>(Object.entries(content ?? {}));
  if (fields.get('kind') !== kind.name) return unusable('its content is of another kind');
  if (fields.get('version') !== kind.version) return unusable('another version of the program wrote it');
  if (fields.get('master') !== master) return unusable('it belongs to another master');
  const writtenAt = Date.parse(String(fields.get('writtenAt')));
  if (Number.isNaN(writtenAt)) return unusable('it is incomplete or damaged');
  if (kind.mayBeFuture !== true && writtenAt > now + FUTURE_TOLERATED)
    return unusable('it was written in the future by the clock of this machine');
  const value = kind.understand(fields.get('value'));
  return value === undefined ? unusable('it is incomplete or damaged') : { kind: 'value', value, writtenAt };
}

function unusable(why: string): { readonly kind: 'unusable'; readonly why: string } {
  return { kind: 'unusable', why };
}

/**
 * Replaces a state file atomically, readable by its user alone (0600). One call for a file at a time. The value must
 * hold no secret.
 *
 * @param now wall clock ms
 * @throws the system's error; the file is as it was then
 */
export async function writeState<T>(
  file: string,
  kind: StateKind<T>,
  { master, now }: { readonly master: string; readonly now: number },
  value: T,
): Promise<void> {
  await replaceFile(file, Buffer.from(stateText(kind, { master, now }, value)), {
    attributes: { mode: 0o600 },
    force: true,
    replaceLink: true,
  });
}

/** The text of a state file that is written at a moment (wall clock ms). */
export function stateText<T>(
  kind: StateKind<T>,
  { master, now }: { readonly master: string; readonly now: number },
  value: T,
): string {
  const head = { kind: kind.name, version: kind.version, master, writtenAt: new Date(now).toISOString() };
  return `${JSON.stringify({ ...head, value })}\n`;
}

/** Removes a state file; one that is not there is no error. */
export async function removeState(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}

/** Where state files are: on the disk, or in the memory of a simulated machine. */
export type StateStore = {
  read<T>(
    file: string,
    kind: StateKind<T>,
    of: { readonly master: string; readonly now: number },
  ): Promise<StateRead<T>>;
  write<T>(
    file: string,
    kind: StateKind<T>,
    of: { readonly master: string; readonly now: number },
    value: T,
  ): Promise<void>;
  remove(file: string): Promise<void>;
};

export const STATE_FILES: StateStore = { read: readState, write: writeState, remove: removeState };

/** Why a state file could not be written, and what to do. */
export function stateTrouble(file: string, error: unknown): string {
  if (isUserError(error)) return error.message;
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `its directory ${path.dirname(file)} does not exist; a start as root creates it, or set [MASTER] state_directory`;
    case 'EACCES':
    case 'EPERM':
      return `permission denied; a start as root gives ${path.dirname(file)} to the balancer's user, or set [MASTER] state_directory`;
    case 'EROFS':
      return 'its file system is read-only (for a systemd service: ReadWritePaths= must have its directory)';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'EISDIR':
      return 'a directory of this name is in its place; remove it';
    default:
      return messageOf(error);
  }
}
