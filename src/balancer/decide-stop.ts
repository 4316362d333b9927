import type { Agenda } from './agenda.ts';
import type { End, Stop } from './state.ts';
import {
  EAGER_DESCRIBE_INTERVAL,
  NEVER_SHOWN,
  SETTLE_TIME,
  STOP_FARM_PATIENCE,
  STOP_PATIENCE,
  STOP_PATIENCE_UNHEARD,
} from './timing.ts';

/**
 * A stop: all slaves leave the farm, are drained and terminated; then security group and launch template go.
 *
 * @returns how it ended, when it has
 */
export function decideStop(agenda: Agenda): End | undefined {
  const { state } = agenda;
  const { stop } = state;
  if (stop === undefined) return undefined;
  if (stop.keepSlaves) return state.running.has('launch') && !stop.hurry ? undefined : 'slaves kept';
  if (state.tidied) {
    const settled = Math.max(state.preparedAt, state.startedAt) + SETTLE_TIME;
    const sure = state.members.size === 0 && agenda.now >= settled;
    return stop.hurry && !sure ? 'hurried' : 'clean';
  }
  for (const [instanceId, { leaving }] of state.members)
    if (leaving === undefined) agenda.change({ kind: 'release', instanceId, reason: 'the balancer stops' });
  giveUpOnFarm(agenda, stop);

  const patience =
    state.describedAt === undefined ? STOP_PATIENCE_UNHEARD : STOP_PATIENCE + state.config.master.drainTime;
  if (agenda.due(stop.since + patience)) return 'incomplete';

  if (somethingMayLive(agenda)) {
    announceDrain(agenda, stop);
    describeAgain(agenda);
    return undefined;
  }
  if (!farmIsLeft(agenda, stop)) return undefined;
  // EC2 keeps the group while an instance uses it: one that no look has shown yet, or one that is ending.
  if (state.tidyTries > 0) {
    if (stop.hurry) return 'hurried';
    describeAgain(agenda);
  }
  // What was made a moment ago is not shown by its tag yet, and would be left behind.
  const settled = state.preparedAt + SETTLE_TIME;
  if (stop.hurry || agenda.due(settled)) agenda.add({ kind: 'tidy' });
  else saySettling(agenda, settled);
  return undefined;
}

/** Whether there are instances, or may be, that still have to be ended. */
function somethingMayLive(agenda: Agenda): boolean {
  const { state } = agenda;
  const { stop, describedAt } = state;
  for (const [id, launchedAt] of state.instancesInFlight) {
    if (agenda.due(launchedAt + NEVER_SHOWN)) agenda.change({ kind: 'forget instance', instanceId: id });
  }
  // A template that is just being made would outlive the stop.
  if (state.running.has('prepare') || launchMayShow(agenda) || state.instancesInFlight.size > 0) return true;
  // One last look, unless nothing can have happened since the one before.
  const launchedUntil = state.launches > 0 ? (stop?.since ?? 0) : Number.NEGATIVE_INFINITY;
  // What a predecessor launched just before it died is shown by then; a second signal does not wait for that.
  const settled = state.startedAt + (stop?.hurry === true ? 0 : SETTLE_TIME);
  if (!agenda.due(settled)) saySettling(agenda, settled);
  if (!agenda.due(settled) || (describedAt ?? Number.NEGATIVE_INFINITY) < Math.max(settled, launchedUntil))
    return true;
  const members = [...state.members.values()];
  return stop?.hurry === true
    ? members.some(member => member.leaving?.terminateAskedAt === undefined)
    : members.length > 0;
}

function saySettling(agenda: Agenda, until: number): void {
  agenda.say(
    'info',
    `waiting up to ${Math.ceil((until - agenda.now) / 1000)} s: EC2 may not show yet what was made just before (a second signal does not wait)`,
    { topic: 'settling at stop' },
  );
}

/** A launch without an answer may still give instances: they are looked for as long as EC2 may take to show them. */
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

/** Whether GBrowse no longer knows any slave, or cannot be told. */
function farmIsLeft(agenda: Agenda, stop: Stop): boolean {
  const { state } = agenda;
  const written = state.listed.length === 0 && !state.running.has('write-farm');
  if (written && !state.reloadOwed) return true;
  return agenda.due((written ? Math.max(stop.since, state.listedAt) : stop.since) + STOP_FARM_PATIENCE);
}

function describeAgain(agenda: Agenda): void {
  const { describedAt = Number.NEGATIVE_INFINITY } = agenda.state;
  if (agenda.due(describedAt + EAGER_DESCRIBE_INTERVAL)) agenda.add({ kind: 'describe' });
}

/** The farm file should be emptied first; one that cannot be written must not keep slaves running for ever. */
function giveUpOnFarm(agenda: Agenda, stop: Stop): void {
  const { state } = agenda;
  if (state.listed.length === 0) return;
  const refused = stop.hurry && state.retry.has('write-farm');
  if (!refused && !agenda.due(stop.since + STOP_FARM_PATIENCE)) return;
  agenda.say(
    'error',
    'the farm file still lists slaves that are going away: set "renderfarm = 0" in it by hand, or GBrowse cannot draw tracks',
    { topic: 'farm at stop' },
  );
  agenda.change({ kind: 'give up farm file' });
}

function announceDrain(agenda: Agenda, stop: Stop): void {
  const { state } = agenda;
  if (stop.hurry || state.members.size === 0) return;
  const seconds = Math.round(state.config.master.drainTime / 1000);
  agenda.say(
    'info',
    `waiting up to ${seconds} s for the renders in progress, and for EC2 (a second signal does not wait)`,
    { topic: 'drain at stop' },
  );
}
