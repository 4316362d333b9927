import { closeSync, constants, lstatSync, openSync, writeSync } from 'node:fs';
import { failure, systemCode } from '../errors.ts';

/** A log file that is appended to. */
export type LogFile = {
  /** Appends; never throws. What cannot be written (a full disk) is dropped, and the next text that can says so. */
  write(text: string): void;
  /**
   * Reopens the path, after logrotate has renamed the file.
   *
   * @throws {UserError} when it cannot be opened; the file that is open stays in use then
   */
  reopen(): void;
  close(): void;
};

/**
 * Opens a log file with the rights of the process. A process that is to drop its privileges opens it afterwards: in a
 * directory of the other user, root would follow a link that this user has planted.
 *
 * @param describeLoss the line that says, once it works again, how many messages are missing and why
 * @param onLoss called when nothing can be written, once until it works again
 * @throws {UserError} when it cannot be opened
 */
export function openLogFile(
  path: string,
  describeLoss: (messages: number, reason: string) => string,
  onLoss: (reason: string) => void = () => {},
): LogFile {
  let fd = open(path);
  let lost = 0;
  let reason = '';
  /** Part of a line was written before the disk was full. */
  let torn = false;

  function write(text: string): void {
    const bytes = Buffer.from(`${torn ? '\n' : ''}${lost > 0 ? describeLoss(lost, reason) : ''}${text}`);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      lost = 0;
      torn = false;
    } catch (error) {
      lost += 1;
      reason = systemCode(error) ?? 'unknown error';
      if (lost === 1) onLoss(reason);
      torn ||= written > 0;
    }
  }

  function reopen(): void {
    const renewed = open(path);
    closeSync(fd);
    fd = renewed;
    torn = false;
  }

  return { write, reopen, close: () => closeSync(fd) };
}

function open(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOFOLLOW } = constants;
  try {
    // O_NONBLOCK: a pipe that nobody reads is an error here, not a program that hangs.
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
    return openSync(path, mayFollow(path) ? flags : flags | O_NOFOLLOW, 0o640);
  } catch (error) {
    throw failure(`cannot write the log file ${path}: ${explain(systemCode(error))}`, { cause: error });
  }
}

/** Root follows only its own links: in /tmp, say, anybody can plant one to a file of root's. */
function mayFollow(path: string): boolean {
  if (process.geteuid?.() !== 0) return true;
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSymbolicLink() === true && found.uid === 0;
}

function explain(code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'its directory does not exist; create it, or name another file with --logfile';
    case 'ELOOP':
      return 'it is a symbolic link that leads in a circle, or that another user made, which root does not follow; name another file with --logfile';
    case 'EISDIR':
      return 'that is a directory; name a file in it with --logfile';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; make the user that the balancer runs as (--user) the owner of the file';
    case 'EROFS':
      return 'its file system is read-only; name another file with --logfile';
    case 'ENXIO':
      return 'it is a pipe that nobody reads; name a file with --logfile';
    default:
      return `${code ?? 'unknown error'}; name another file with --logfile`;
  }
}
