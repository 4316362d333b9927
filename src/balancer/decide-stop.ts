import type { Agenda } from './agenda.ts';
import type { End } from './decide.ts';
import { leave } from './members.ts';
import { type State, type Stop, sayOnce } from './state.ts';
import {
  EAGER_LOOK_INTERVAL,
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
export function decideStop(state: State, agenda: Agenda): End | undefined {
  const { stop } = state;
  if (stop === undefined) return undefined;
  if (stop.keepSlaves) return state.running.has('launch') && !stop.hurry ? undefined : 'slaves kept';
  if (state.tidied) {
    const settled = Math.max(state.preparedAt, state.startedAt) + SETTLE_TIME;
    const sure = state.members.size === 0 && agenda.now >= settled;
    return stop.hurry && !sure ? 'hurried' : 'clean';
  }
  for (const id of state.members.keys()) leave(state, id, 'the balancer stops');
  giveUpOnFarm(state, stop, agenda);

  const patience =
    state.sightAt === undefined ? STOP_PATIENCE_UNHEARD : STOP_PATIENCE + state.config.master.drainTime;
  if (agenda.due(stop.since + patience)) return 'incomplete';

  if (somethingMayLive(state, agenda)) {
    announceDrain(state, stop);
    lookAgain(state, agenda);
    return undefined;
  }
  if (!farmIsLeft(state, stop, agenda)) return undefined;
  // EC2 keeps the group while an instance uses it: one that no look has shown yet, or one that is ending.
  if (state.tidyTries > 0) {
    if (stop.hurry) return 'hurried';
    lookAgain(state, agenda);
  }
  // What was made a moment ago is not shown by its tag yet, and would be left behind.
  const settled = state.preparedAt + SETTLE_TIME;
  if (stop.hurry || agenda.due(settled)) agenda.add({ kind: 'tidy' });
  else saySettling(state, settled - agenda.now);
  return undefined;
}

/** Whether there are instances, or may be, that still have to be ended. */
function somethingMayLive(state: State, agenda: Agenda): boolean {
  const { stop, sightAt } = state;
  for (const [id, launchedAt] of state.expected) {
    if (agenda.due(launchedAt + NEVER_SHOWN)) state.expected.delete(id);
  }
  // A template that is just being made would outlive the stop.
  if (state.running.has('prepare') || launchMayShow(state, agenda) || state.expected.size > 0) return true;
  // One last look, unless nothing can have happened since the one before.
  const launchedUntil = state.launches > 0 ? (stop?.since ?? 0) : Number.NEGATIVE_INFINITY;
  // What a predecessor launched just before it died is shown by then; a second signal does not wait for that.
  const settled = state.startedAt + (stop?.hurry === true ? 0 : SETTLE_TIME);
  if (!agenda.due(settled)) saySettling(state, settled - agenda.now);
  if (!agenda.due(settled) || (sightAt ?? Number.NEGATIVE_INFINITY) < Math.max(settled, launchedUntil))
    return true;
  const members = [...state.members.values()];
  return stop?.hurry === true
    ? members.some(member => member.leaving?.terminateAskedAt === undefined)
    : members.length > 0;
}

function saySettling(state: State, ms: number): void {
  sayOnce(
    state,
    'settling at stop',
    'info',
    `waiting up to ${Math.ceil(ms / 1000)} s: EC2 may not show yet what was made just before (a second signal does not wait)`,
  );
}

/** A launch without an answer may still give instances: they are looked for as long as EC2 may take to show them. */
function launchMayShow(state: State, agenda: Agenda): boolean {
  if (state.running.has('launch')) return true;
  const { intent, sightAt = Number.NEGATIVE_INFINITY } = state;
  if (intent === undefined) return false;
  const settled = (intent.unsureAt ?? agenda.now) + SETTLE_TIME;
  if (!agenda.due(settled) || sightAt < settled) return true;
  delete state.intent;
  return false;
}

/** Whether GBrowse no longer knows any slave, or cannot be told. */
function farmIsLeft(state: State, stop: Stop, agenda: Agenda): boolean {
  const written = state.listed.length === 0 && !state.running.has('write-farm');
  if (written && !state.reloadOwed) return true;
  return agenda.due((written ? Math.max(stop.since, state.listedAt) : stop.since) + STOP_FARM_PATIENCE);
}

function lookAgain(state: State, agenda: Agenda): void {
  const { sightAt = Number.NEGATIVE_INFINITY } = state;
  if (agenda.due(sightAt + EAGER_LOOK_INTERVAL)) agenda.add({ kind: 'look' });
}

/** The farm file should be emptied first; one that cannot be written must not keep slaves running for ever. */
function giveUpOnFarm(state: State, stop: Stop, agenda: Agenda): void {
  if (state.listed.length === 0) return;
  const refused = stop.hurry && state.retry.has('write-farm');
  if (!refused && !agenda.due(stop.since + STOP_FARM_PATIENCE)) return;
  sayOnce(
    state,
    'farm at stop',
    'error',
    'the farm file still lists slaves that are going away: set "renderfarm = 0" in it by hand, or GBrowse cannot draw tracks',
  );
  state.listed = [];
}

function announceDrain(state: State, stop: Stop): void {
  if (stop.hurry || state.members.size === 0) return;
  const seconds = Math.round(state.config.master.drainTime / 1000);
  sayOnce(
    state,
    'drain at stop',
    'info',
    `waiting up to ${seconds} s for the renders in progress, and for EC2 (a second signal does not wait)`,
  );
}
