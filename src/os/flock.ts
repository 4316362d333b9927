import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { SECOND } from '../clock.ts';
import { failure, messageOf } from '../errors.ts';

/** A file that this process has locked (flock(2)). The lock ends with the process in any case. */
export type FileLock = {
  /** Removes the file and releases the lock. */
  release(): void;
};

const TIME_LIMIT = 10 * SECOND;
const MOST_TRIES = 10;

/**
 * Locks a file, which is created if it is missing, and writes our process id into it. Only for directories in which
 * nobody else can write.
 *
 * @returns undefined when another process has locked it
 * @throws the system's error; {UserError} when flock(1) fails
 */
export async function lockFile(file: string): Promise<FileLock | undefined> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      if (!(await tryLock(fd))) {
        closeSync(fd);
        return undefined;
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // The process that held it before may have removed the file after we opened it.
    if (fstatSync(fd).ino === statSync(file, { throwIfNoEntry: false })?.ino) {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      let isHeld = true;
      return {
        release() {
          if (!isHeld) return;
          isHeld = false;
          try {
            unlinkSync(file);
          } catch {
            // It may be in one of root's directories, and this process has dropped root's rights.
          }
          closeSync(fd);
        },
      };
    }
    closeSync(fd);
  }
  throw failure(`${file} is removed again and again, so it cannot be locked`);
}

/** Whether some process has locked that file. We must be allowed to read it. */
export async function isFileLocked(file: string): Promise<boolean> {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return false;
  }
  try {
    return !(await tryLock(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * By flock(1) of util-linux, which Node lacks: the lock belongs to the open file that the child inherits, and so stays
 * with ours when the child has ended.
 */
async function tryLock(fd: number): Promise<boolean> {
  const child = spawn('flock', ['-n', '3'], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'ignore', 'ignore', fd],
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', error =>
      reject(failure(`flock(1) cannot be run: ${messageOf(error)}`, { cause: error })),
    );
    child.once('exit', resolve);
  });
  if (status === 0 || status === 1) return status === 0;
  throw failure(`flock(1) failed with exit status ${status}`);
}
