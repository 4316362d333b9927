import { accountIn } from '../../src/balancer/spending.ts';
import { keepTimeIn } from '../../src/balancer/wanted.ts';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { permitted } from '../../src/policy/backoff.ts';
import { largestMax, rangeFor } from '../../src/policy/load-table.ts';
import { DATA_TAG, MASTER_TAG } from '../../src/spot/tags.ts';
import type { Accuse } from './invariants/invariant.ts';
import { isDraining } from './invariants/numbers.ts';
import { isLive, type Scene } from './scene.ts';

/** The longest that backoff may hold launches back: six hours after broken images (backoff.ts). */
const LONGEST_HOLD = 6 * HOUR;

/**
 * The end of a history, when all is well.
 *
 * 6. "When faults stop, the fleet is within [min, max] for the load in bounded time, and stays there without churn (no
 * launch and release in turn at a constant load)."
 *
 * Within: so many slaves live, all of them serve, and the farm file lists these and nothing else. Bounded: the time that
 * backoff does not hold launches back (which it does for at most six hours) is at most three polls to know the load, a
 * `boot_timeout` for slaves that will never be ready, three rounds for those that are dead, a `drain_time`, the longest
 * wait between two tries of anything (a minute), two minutes for a launch whose fate is unknown, and a boot. There: for
 * half an hour, and four polls, nothing is launched, ended or listed again.
 *
 * 10. "New data reach every slave": the data of every slave are those of the file. For that three minutes more for each
 * of the largest `max`.
 *
 * 2. "[…] after a crash and restart nothing is lost described of": every instance that has our tag is known to the process.
 * "With the balancer dead for good, every slave ends by itself": within `orphan_timeout`.
 */
export async function settle(scene: Scene, accuse: Accuse, enough: () => boolean): Promise<void> {
  const { clock, history, master } = scene;
  master.killAfter();
  await clock.runFor(5 * MINUTE);
  // The load has come to rest too, if the machine has slept.
  while (master.clock.monotonic() < history.duration) await clock.runFor(MINUTE);
  await comeBack(scene, accuse);
  // It ends by itself.
  while (master.paused() !== undefined) await clock.runFor(MINUTE);
  await clock.runFor(MINUTE);
  if (enough()) return;
  // An administrator who has mended something says so with a SIGHUP, or waits.
  if (Number.parseInt(scene.digest().slice(0, 2), 16) % 2 === 0) scene.configure(scene.settings());
  await clock.runFor(2 * master.config().master.pollInterval + 10 * SECOND);
  await converge(scene, accuse, enough);
  if (enough()) return;
  await stayThere(scene, accuse);
  if (enough()) return;
  if (history.end === 'death') await dieForGood(scene, accuse);
  else await stopCleanly(scene, accuse);
}

/** Until a stop that is under way is over and the process runs again. */
async function comeBack(scene: Scene, accuse: Accuse): Promise<void> {
  const { clock, master } = scene;
  for (let minute = 0; minute < 240; minute++) {
    if (master.process() === undefined) master.start();
    const process = master.process();
    if (process !== undefined && process.stopping === undefined && !master.clock.isAsleep()) return;
    await clock.runFor(MINUTE);
  }
  accuse(9, 'the balancer does not come back');
}

/** Whether the budget of the month is used up, as the balancer counts it. */
function isUsedUp({ master }: Scene): boolean {
  const state = master.process()?.balancer.state;
  return state !== undefined && accountIn(state)?.isUsedUp === true;
}

/** How the fleet differs from what it should be; undefined when it does not. */
function difference(scene: Scene): string | undefined {
  const { master } = scene;
  const state = master.process()?.balancer.state;
  const row = isUsedUp(scene) ? { min: 0, max: 0 } : rangeFor(master.config().loadTable, scene.loadNow());
  // When the keep time is over, there are as many as `min` asks for.
  const { min, max } = master.config().master.releaseAfter === 'never' ? row : { ...row, max: row.min };
  const live = scene.live(master.name);
  const draining = live.filter(isDraining);
  const working = live.length - draining.length;
  if (working < min || working > max) return `${working} slaves, ${min} to ${max} are right`;
  if (draining.length > 0) return `${draining.length} still drain`;
  const listed = new Set(scene.listed(master).map(it => it?.id ?? 'nobody'));
  if (listed.size !== live.length || live.some(it => !listed.has(it.id))) {
    return `listed are ${[...listed].join(' ')}, there are ${live.map(it => it.id).join(' ')}`;
  }
  const dead = live.find(it => scene.deadSince(it.id) !== undefined);
  if (dead !== undefined) return `${dead.id} is listed and dead`;
  const lost = live.find(it => !state?.members.has(it.id));
  if (lost !== undefined) return `${lost.id} is not known to the process`;
  const bought = live.find(it => it.spotRequestId === undefined);
  // Beside the largest max there is no room for what would replace it.
  if (bought !== undefined && live.length < largestMax(master.config().loadTable))
    return `${bought.id} runs on demand, though there is spot capacity`;
  return isRenewed(scene) ? undefined : 'there are slaves with old data';
}

function isRenewed(scene: Scene): boolean {
  const data = scene.settings().data?.join(' ') ?? '';
  return scene.live(scene.master.name).every(it => (it.tags[DATA_TAG] ?? '') === data);
}

async function converge(scene: Scene, accuse: Accuse, enough: () => boolean): Promise<void> {
  const { clock, master } = scene;
  const { pollInterval, drainTime } = master.config().master;
  const round = Math.min(pollInterval, MINUTE);
  // One after another, at the largest max: a launch, a boot and a probe each.
  const renewal = isRenewed(scene) ? 0 : 3 * MINUTE * largestMax(master.config().loadTable);
  const state = master.process()?.balancer.state;
  // The mean of five minutes, and what booted slowly lately, count too.
  const keepTime = ((state && keepTimeIn(state)) ?? -5 * MINUTE) + 5 * MINUTE;
  let left =
    renewal +
    keepTime +
    3 * pollInterval +
    2 * master.config().slave.bootTimeout +
    drainTime +
    6 * round +
    9 * MINUTE +
    // Until spot is tried in place of slaves on demand, and serves.
    (scene.live(master.name).some(it => it.spotRequestId === undefined) ? 15 * MINUTE : 0);
  let held = 0;
  for (;;) {
    const what = difference(scene);
    if (what === undefined || enough()) return;
    if (left < 0) {
      accuse(isRenewed(scene) ? 6 : 10, `not within bounded time: ${what}`);
      return;
    }
    await clock.runFor(10 * SECOND);
    const state = master.process()?.balancer.state;
    const now = master.clock.monotonic();
    const permission = state && permitted(state.backoff, 1, largestMax(master.config().loadTable), now);
    const hold = permission === undefined || permission.count > 0 ? 0 : permission.notBefore - now;
    if (hold > LONGEST_HOLD) accuse(6, `launches are held back for ${hold / HOUR} hours`);
    if (hold > 0) held += 10 * SECOND;
    if (hold <= 0 || held > 3 * LONGEST_HOLD) left -= 10 * SECOND;
  }
}

async function stayThere(scene: Scene, accuse: Accuse): Promise<void> {
  const { clock, master } = scene;
  const before = scene.changes();
  const usedUp = isUsedUp(scene);
  await clock.runFor(Math.max(30 * MINUTE, 4 * master.config().master.pollInterval));
  // The money may be gone meanwhile, and a new month may have begun.
  if (isUsedUp(scene) !== usedUp) return;
  const after = scene.changes();
  if (after !== before) accuse(6, `churn at a constant load: ${after} changes, ${before} before`);
  const what = difference(scene);
  if (what !== undefined) accuse(6, `it did not stay so: ${what}`);
}

async function dieForGood(scene: Scene, accuse: Accuse): Promise<void> {
  const { clock, master } = scene;
  master.retire();
  await clock.runFor(master.orphanTimeout() + 10 * MINUTE);
  const left = scene.live(master.name);
  if (left.length > 0) accuse(2, `nobody is there any more, and ${left.map(it => it.id).join(' ')} live on`);
}

async function stopCleanly(scene: Scene, accuse: Accuse): Promise<void> {
  const { clock, master, account } = scene;
  const own = new Set(
    account
      .groups()
      .filter(it => it.tags[MASTER_TAG] === master.name)
      .map(it => it.id),
  );
  const stopped = master.process();
  if (stopped === undefined) return;
  // A group that somebody's instance uses stays, and the balancer says so.
  const kept = account
    .instances()
    .some(it => isLive(it) && it.tags[MASTER_TAG] !== master.name && it.groupIds.some(id => own.has(id)));
  master.stop('cleanly');
  await clock.runFor(15 * MINUTE + master.config().master.drainTime);
  if (stopped.alive) accuse(9, 'it did not stop');
  if (stopped.end !== 'clean' && !kept) accuse(2, `the stop ended ${stopped.end}, and nothing hindered it`);
}
