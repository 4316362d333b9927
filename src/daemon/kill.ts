import { type Clock, SECOND, systemClock } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { isLockHeld } from './lock.ts';
import { pidfileLock, readPidfile } from './pidfile.ts';
import { findProcess, isBalancer, isStillThere, type RunningProcess } from './process.ts';
import { PROGRAM } from './self.ts';

const LOOK_EVERY = SECOND / 10;
const SAY_EVERY = 5 * SECOND;

export type KillOptions = {
  readonly pidfile: string;
  /** The balancer ends, its slaves and the farm file stay. */
  readonly keepSlaves: boolean;
  /** Tells the person who waits. */
  say(message: string): void;
  readonly clock?: Clock;
};

/**
 * Asks a balancer to end, by its pidfile, and waits until its process is gone, however long it cleans up. A process
 * that is not a balancer, or not the one of this pidfile, is never signalled.
 *
 * @throws {UserError} (1) without pidfile, with a stale one, or without the right to signal the process
 */
export async function killDaemon({
  pidfile,
  keepSlaves,
  say,
  clock = systemClock,
}: KillOptions): Promise<void> {
  const balancer = await findOwner(pidfile);
  try {
    process.kill(balancer.pid, keepSlaves ? 'SIGUSR2' : 'SIGTERM');
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return;
    throw failure(
      `Not permitted to end ${PROGRAM} (process ${balancer.pid}). Do it as root or as the user that it was started by.`,
      { cause: error },
    );
  }
  const doing = keepSlaves ? 'its slaves stay' : 'it empties the farm and terminates its slaves';
  const start = clock.monotonic();
  let said = start;
  while (isStillThere(balancer)) {
    await clock.sleep(LOOK_EVERY);
    const now = clock.monotonic();
    if (now - said < SAY_EVERY) continue;
    said = now;
    say(
      `Waiting for process ${balancer.pid} to end: ${doing} (${Math.round((now - start) / SECOND)} s so far).`,
    );
  }
}

async function findOwner(pidfile: string): Promise<RunningProcess> {
  const pid = await readPidfile(pidfile);
  if (pid === 'absent') {
    throw failure(`There is no pidfile ${pidfile}: no ${PROGRAM} is running with it. Nothing was done.`);
  }
  if (pid === 'garbage') {
    throw failure(`The pidfile ${pidfile} does not hold a process id. Nothing was done; remove the file.`);
  }
  const found = findProcess(pid);
  if (found !== undefined && isBalancer(found) && (await isLockHeld(await pidfileLock(pidfile))))
    return found;
  throw failure(
    `The pidfile ${pidfile} is stale: process ${pid} ${found === undefined ? 'is not running' : `is not the ${PROGRAM} that wrote it`}. ` +
      'Nothing was done; the next start overwrites it.',
  );
}
