import type { Agenda } from './agenda.ts';
import { leftInWords } from './left.ts';
import { type End, hasFailed, type StateView, type Stop } from './state.ts';
import {
  EAGER_DESCRIBE_INTERVAL,
  NEVER_SHOWN,
  SETTLE_TIME,
  STOP_DRAIN_LIMIT,
  STOP_FARM_LIMIT,
  STOP_FARM_LIMIT_HURRY,
  STOP_KEEPING_LIMIT,
  STOP_LIMIT,
  STOP_LIMIT_HURRY,
  STOP_LIMIT_UNHEARD,
} from './timing.ts';

/**
 * A stop: all slaves leave the farm, are drained and terminated; then security group and launch template go. It ends
 * within five minutes, and within 15 s after a second signal, after which every call is made once.
 *
 * @returns how it ended, when it has
 */
export function decideStop(agenda: Agenda): End | undefined {
  const { state } = agenda;
  const { stop } = state;
  if (stop === undefined) return undefined;
  if (stop.keepSlaves) return endKeepingSlaves(agenda, stop);
  if (state.tidied) {
    const settled = Math.max(state.preparedAt, state.startedAt) + SETTLE_TIME;
    const sure = state.members.size === 0 && agenda.now >= settled;
    return isHurried(stop) && !sure ? 'hurried' : 'clean';
  }
  for (const [instanceId, { leaving }] of state.members)
    if (leaving === undefined) agenda.change({ kind: 'release', instanceId, reason: 'the balancer stops' });
  giveUpOnFarm(agenda, stop);

  if (agenda.due(limitOf(state, stop))) return incomplete(agenda);

  if (somethingMayLive(agenda)) {
    announceDrain(agenda, stop);
    describeAgain(agenda);
    return undefined;
  }
  if (!farmIsLeft(agenda, stop)) return undefined;
  // EC2 keeps the group while an instance uses it: one that no answer has shown yet, or one that is ending.
  if (state.tidyTries > 0) {
    if (isHurried(stop)) return incomplete(agenda);
    describeAgain(agenda);
  }
  // EC2 does not show by its tag yet what was made a moment ago, so it would be left behind.
  const settled = state.preparedAt + SETTLE_TIME;
  if (isHurried(stop) || agenda.due(settled)) agenda.add({ kind: 'tidy' });
  else saySettling(agenda, settled);
  return undefined;
}

/** A launch that is being answered is waited for: its instances are this balancer's, and the next start finds them. */
function endKeepingSlaves(agenda: Agenda, stop: Stop): End | undefined {
  const { running } = agenda.state;
  const isOver = !running.has('launch') || isHurried(stop) || agenda.due(stop.since + STOP_KEEPING_LIMIT);
  if (!isOver) return undefined;
  return stop.crippled === true ? 'crippled' : 'slaves kept';
}

function isHurried({ hurriedAt }: Stop): boolean {
  return hurriedAt !== undefined;
}

/** When a stop ends, even if something hangs. */
function limitOf({ describedAt }: StateView, { since, hurriedAt = Number.POSITIVE_INFINITY }: Stop): number {
  const patience = describedAt === undefined ? STOP_LIMIT_UNHEARD : STOP_LIMIT;
  return Math.min(since + patience, hurriedAt + STOP_LIMIT_HURRY);
}

function incomplete(agenda: Agenda): End {
  agenda.say('error', leftInWords(agenda.state));
  return 'incomplete';
}

/** Whether there are instances, or may be, that still have to be ended. */
function somethingMayLive(agenda: Agenda): boolean {
  const { state } = agenda;
  const { stop, describedAt } = state;
  const hurried = stop !== undefined && isHurried(stop);
  for (const [id, launchedAt] of state.instancesInFlight) {
    if (agenda.due(launchedAt + NEVER_SHOWN)) agenda.change({ kind: 'forget instance', instanceId: id });
  }
  // A template that is just being made would outlive the stop.
  if (state.running.has('prepare')) return true;
  const members = [...state.members.values()];
  // Each call is made once: if EC2 does not answer, what it showed last counts.
  if (hurried && hasFailed(state, 'describe'))
    return (
      state.running.has('terminate') ||
      (!hasFailed(state, 'terminate') && members.some(it => it.leaving?.terminateAskedAt === undefined))
    );
  if (launchMayShow(agenda) || state.instancesInFlight.size > 0) return true;
  // One last answer from EC2, unless nothing can have happened since the one before.
  const launchedUntil = state.launches > 0 ? (stop?.since ?? 0) : Number.NEGATIVE_INFINITY;
  // What a predecessor launched just before it died is shown by then; a second signal does not wait for that.
  const settled = state.startedAt + (hurried ? 0 : SETTLE_TIME);
  if (!agenda.due(settled)) saySettling(agenda, settled);
  if (!agenda.due(settled) || (describedAt ?? Number.NEGATIVE_INFINITY) < Math.max(settled, launchedUntil))
    return true;
  if (!hurried) return members.length > 0;
  return !hasFailed(state, 'terminate') && members.some(it => it.leaving?.terminateAskedAt === undefined);
}

function saySettling(agenda: Agenda, until: number): void {
  agenda.say(
    'info',
    `waiting up to ${Math.ceil((until - agenda.now) / 1000)} s for EC2 to show what was created a moment ago (a second signal skips the wait)`,
    { topic: 'settling at stop' },
  );
}

/** A launch without an answer may still give instances: the stop searches for as long as EC2 may take to show them. */
function launchMayShow(agenda: Agenda): boolean {
  const { state } = agenda;
  if (state.running.has('launch')) return true;
  const { launchInFlight: request, describedAt = Number.NEGATIVE_INFINITY } = state;
  if (request === undefined) return false;
  const settled = (request.unsureAt ?? agenda.now) + SETTLE_TIME;
  if (!agenda.due(settled) || describedAt < settled) return true;
  agenda.change({ kind: 'forget launch' });
  return false;
}

/** Whether GBrowse no longer knows any slave, or cannot be told about it. */
function farmIsLeft(agenda: Agenda, stop: Stop): boolean {
  const { state } = agenda;
  const written = state.listed.length === 0 && !state.running.has('write-farm');
  if (written && !state.reloadOwed) return true;
  return isFarmGivenUp(agenda, stop) && (!written || agenda.due(state.listedAt + STOP_FARM_LIMIT_HURRY));
}

function describeAgain(agenda: Agenda): void {
  const { describedAt = Number.NEGATIVE_INFINITY } = agenda.state;
  if (agenda.due(describedAt + EAGER_DESCRIBE_INTERVAL)) agenda.add({ kind: 'describe' });
}

/** Whether a stop goes on without having written the farm file, and without having told Apache. */
export function isFarmGivenUp(agenda: Agenda, stop = agenda.state.stop): boolean {
  if (stop === undefined || stop.keepSlaves) return false;
  if (stop.crippled === true) return true;
  const { since, hurriedAt = Number.POSITIVE_INFINITY } = stop;
  return agenda.due(Math.min(since + STOP_FARM_LIMIT, hurriedAt + STOP_FARM_LIMIT_HURRY));
}

/** The end (monotonic ms) of a drain; a stop cuts it short so that it ends within its own limit. */
export function drainEndsAt({ config, stop }: StateView, outSince: number): number {
  const end = outSince + config.master.drainTime;
  return stop === undefined ? end : Math.min(end, stop.since + STOP_DRAIN_LIMIT);
}

/** The farm file should be emptied first; one that cannot be written must not keep slaves running for ever. */
function giveUpOnFarm(agenda: Agenda, stop: Stop): void {
  const { state } = agenda;
  if (state.listed.length === 0) return;
  const refused = isHurried(stop) && hasFailed(state, 'write-farm');
  if (!refused && !isFarmGivenUp(agenda, stop)) return;
  agenda.say(
    'error',
    'the farm file still lists slaves that are going away: set "renderfarm = 0" in it by hand, or GBrowse cannot draw tracks',
    { topic: 'farm at stop' },
  );
  agenda.change({ kind: 'give up farm file' });
}

function announceDrain(agenda: Agenda, stop: Stop): void {
  const { state, now } = agenda;
  if (isHurried(stop) || state.members.size === 0) return;
  const seconds = Math.round((drainEndsAt(state, now) - now) / 1000);
  agenda.say(
    'info',
    `waiting up to ${seconds} s for the renders in progress, and for EC2 (a second signal skips the wait)`,
    { topic: 'drain at stop' },
  );
}
