import type { Socket } from 'node:net';
import { type Clock, SECOND } from '../clock.ts';
import { acquireLock, connectToLock, isLockHeld, type Lock } from '../daemon/lock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { failure } from '../errors.ts';
import { findLeftovers } from '../leftovers/find.ts';
import { removeLeftovers } from '../leftovers/remove.ts';
import type { Report } from './report.ts';

/** The commands that work with a temporary instance. One of them at a time works for a master. */
export type StagingCommand = 'sync' | 'image';

/**
 * Makes sure that no other sync, and no making of an image, of this master runs on this machine.
 *
 * @throws {UserError} saying who runs, and since when
 */
export async function lockStaging(master: string, command: StagingCommand, now: number): Promise<Lock> {
  const name = `sync:${master}`;
  const since = new Date(now).toISOString().slice(0, 19).replace('T', ' ');
  const lock = await acquireLock(name, socket => {
    socket.end(`${command}, process ${process.pid}, since ${since} UTC`);
  });
  if (lock !== undefined) return lock;
  const holder = await connectToLock(name).then(
    socket => (socket === undefined ? '' : saidBy(socket)),
    () => '',
  );
  throw failure(
    `"sync" or "image" is running already for the master "${master}"${holder === '' ? '' : ` (${holder})`}; wait until it is done, or end it with Ctrl-C or kill`,
  );
}

/** Any user can hold a name, so only a short and quick answer counts. */
const MOST_SAID = 200;
const ANSWER_LIMIT = 2 * SECOND;

async function saidBy(socket: Socket): Promise<string> {
  let said = '';
  socket.setEncoding('utf8');
  const timer = setTimeout(() => socket.destroy(), ANSWER_LIMIT);
  await new Promise<void>(resolve => {
    socket.on('data', text => {
      said += String(text);
      if (said.length > MOST_SAID) socket.destroy();
    });
    socket.once('error', () => resolve()).once('close', () => resolve());
  });
  clearTimeout(timer);
  return said.slice(0, MOST_SAID);
}

/**
 * Removes what earlier runs of `sync` and `image` for this master have left in EC2; to be called with the lock. Complete
 * images and snapshots stay, and the snapshots of data that EBS is completing: they hold the data.
 *
 * @throws {UserError} when another machine runs one of the two for the same master
 * @throws {Ec2Error}
 */
export async function removeEarlier(ec2: Ec2, master: string, clock: Clock, report: Report): Promise<void> {
  const find = () =>
    findLeftovers(ec2, {
      master,
      now: clock.wall(),
      // The lock of the two is ours.
      isLockHeld: async name => !name.startsWith('sync:') && (await isLockHeld(name)),
    });
  const [found] = (await find()).masters;
  const elsewhere = found?.held.find(({ resources }) => resources.some(it => it.sync !== undefined));
  if (elsewhere !== undefined) {
    throw failure(
      `another machine runs sync or image for the master "${master}" (${elsewhere.why}); wait until it is done; two masters of one account need different [MASTER] name`,
    );
  }
  const left = (found?.leftovers ?? []).filter(
    it => it.sync !== undefined && (it.kind !== 'snapshot' || it.ofImage === true),
  );
  if (left.length === 0) return;
  report.say(`Removing leftovers of an earlier run: ${left.map(it => `${it.kind} ${it.id}`).join(', ')}`);
  await removeLeftovers(ec2, left, {
    clock,
    findAgain: find,
    onWait: report.detail,
    onOutcome: outcome => {
      if (outcome.became === 'failed')
        report.warn(`${outcome.resource.id} could not be removed: ${outcome.why}`);
    },
  });
}
