import { type Clock, MINUTE, SECOND, systemClock } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { belongsTo, findProcess, isStillThere, type RunningProcess } from '../os/process.ts';
import { type ForeignPart, foreignPartOf } from '../os/root-path.ts';
import { lockState } from './lock.ts';
import { pidfileLock, readPidfile, removeEmptyPidfile } from './pidfile.ts';
import { isBalancer, PROGRAM } from './self.ts';

const POLL_INTERVAL = SECOND / 10;
const SAY_EVERY = 5 * SECOND;
/** A stop takes 5 minutes at most. */
const LONGEST_STOP = 6 * MINUTE;

type KillOptions = {
  readonly pidfile: string;
  /** Whether slaves and farm file stay. */
  readonly keepSlaves: boolean;
  /** Shows a message to the person who waits. */
  say(message: string): void;
  readonly clock?: Clock;
};

/**
 * Asks a balancer to end, by its pidfile, and waits until its process is gone. A process that is not a balancer, or not
 * the one that holds this pidfile's lock, is never signalled. Root's rights are not lent to those who can write the
 * pidfile: the process that another user's pidfile names must belong to that user.
 *
 * @throws {UserError} (1) when there is no pidfile, or a stale one, when we may not signal the process, or when it does
 *   not end
 */
export async function killDaemon({
  pidfile,
  keepSlaves,
  say,
  clock = systemClock,
}: KillOptions): Promise<void> {
  const { balancer, isRoots } = await findOwner(pidfile);
  try {
    process.kill(balancer.pid, keepSlaves ? 'SIGUSR2' : 'SIGTERM');
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return;
    throw failure(
      `no permission to end ${PROGRAM} (process ${balancer.pid}); do it as root or as the user that started it`,
      { cause: error },
    );
  }
  const doing = keepSlaves ? 'its slaves stay' : 'it empties the farm and terminates its slaves';
  const start = clock.monotonic();
  let said = start;
  while (isStillThere(balancer)) {
    await clock.sleep(POLL_INTERVAL);
    const now = clock.monotonic();
    if (now - start > LONGEST_STOP) {
      throw failure(
        `process ${balancer.pid} has not ended within ${LONGEST_STOP / MINUTE} minutes; its log says what it waits for. ` +
          `"kill -KILL ${balancer.pid}" ends it without cleaning up; "${PROGRAM} gc" then lists what is left in EC2`,
      );
    }
    if (now - said < SAY_EVERY) continue;
    said = now;
    say(
      `waiting for process ${balancer.pid} to end: ${doing} (${Math.round((now - start) / SECOND)} s so far)`,
    );
  }
  // In a directory of another user's, root could be made to remove something else.
  if (isRoots) await removeEmptyPidfile(pidfile);
}

async function findOwner(
  pidfile: string,
): Promise<{ readonly balancer: RunningProcess; readonly isRoots: boolean }> {
  const owner = await foreignOwnerOf(pidfile);
  const pid = await readPidfile(pidfile);
  if (pid === 'absent') {
    throw failure(`there is no pidfile ${pidfile}, so no ${PROGRAM} is running with it; nothing was done`);
  }
  if (pid === 'garbage') {
    throw failure(`the pidfile ${pidfile} does not hold a process id; nothing was done; remove the file`);
  }
  const found = findProcess(pid);
  if (found === undefined || !isBalancer(pid) || !(await holdsLock(pid, await pidfileLock(pidfile)))) {
    throw failure(
      `the pidfile ${pidfile} is stale: process ${pid} ${found === undefined ? 'is not running' : `is not the ${PROGRAM} that wrote it`}; ` +
        'nothing was done, and the next start overwrites it',
    );
  }
  if (owner !== undefined && !belongsTo(pid, owner.uid)) {
    throw failure(
      `the pidfile ${pidfile} names process ${pid}, which is not a process of the user who owns ${owner.path} (user id ` +
        `${owner.uid}), so root does not end it; nothing was done`,
    );
  }
  return { balancer: found, isRoots: owner === undefined };
}

/**
 * The user who controls a pidfile, if that is not root.
 *
 * @throws {UserError} when several users control it
 */
async function foreignOwnerOf(pidfile: string): Promise<ForeignPart | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const part = await foreignPartOf(pidfile, 'content');
  if (part === undefined || !part.isShared) return part;
  throw failure(
    `the pidfile ${pidfile} is not trusted, because others can write to ${part.path}; nothing was done; ` +
      'name a pidfile in a directory to which only root can write',
  );
}

async function holdsLock(pid: number, lock: string): Promise<boolean> {
  const { state, holder } = await lockState(lock);
  if (state === 'free') return false;
  // Without root's rights the holder may be hidden from us; then its process is not ours to signal either.
  return holder?.pid === pid || (holder?.pid === undefined && process.geteuid?.() !== 0);
}
