import { largestMax, type Range, rangeFor } from '../policy/load-table.ts';
import { permitted } from '../policy/pacing.ts';
import { scale } from '../policy/scale.ts';
import type { Agenda } from './agenda.ts';
import { decideRenewal, renewalOf } from './decide-renewal.ts';
import { candidateOf, describe, isListed, leave } from './members.ts';
import { isFresh, type Member, type State, say } from './state.ts';
import { NEVER_SHOWN, PLAN_LIFETIME, PLAN_SUSPICION } from './timing.ts';

/** Brings the number of slaves into the range that the load calls for. */
export function decideScale(state: State, agenda: Agenda): void {
  if (state.sightAt === undefined || state.lastRate === undefined) return;
  forgetLapsedIntent(state, state.sightAt);
  const { intent } = state;
  const range = rangeFor(state.config.loadTable, state.lastRate);
  takeBack(state, range);
  const ceiling = largestMax(state.config.loadTable);
  const situation = {
    range,
    loadIsKnown: state.loadError === undefined && state.load.rate !== undefined,
    ceiling,
    slaves: [...state.members.values()].map(member => candidateOf(state, member)),
    underway: state.expected.size,
  };
  const pending = intent === undefined ? 0 : Math.max(0, intent.count - intent.shown);
  const withPending = { ...situation, underway: situation.underway + pending };
  const scaling = scale(withPending);
  sayRange(state, range);
  for (const id of scaling.release) leave(state, id, 'more slaves than the load needs');
  const renewing = scaling.release.length > 0 ? 0 : decideRenewal(state, withPending, agenda.now);
  const wanted = Math.max(scaling.launch, renewing);

  // A launch whose answer was lost is asked for again under its token until EC2 says what became of it; one that may
  // have had no effect, only as long as it is still wanted.
  if (intent !== undefined) {
    const still = Math.max(scale(situation).launch, renewalOf(state, situation, agenda.now).launch);
    if ((intent.shown > 0 || still >= intent.count) && agenda.due(state.pace.notBefore))
      agenda.add({ kind: 'launch', intent });
    return;
  }
  const allowed = permitted(state.pace, wanted, ceiling, agenda.now);
  if (allowed.count === 0) {
    if (wanted > 0) agenda.due(allowed.notBefore);
    refreshPlan(state, agenda);
    return;
  }
  launch(state, agenda, allowed.count);
}

/**
 * A slave that was to leave because there were too many, and that the farm lists still (the file could not be written),
 * stays when the load has risen again.
 */
function takeBack(state: State, range: Range): void {
  if (state.running.has('write-farm')) return;
  const members = [...state.members];
  let lacking = range.min - state.expected.size - members.filter(([, it]) => it.leaving === undefined).length;
  for (const [id, { leaving, ...member }] of members) {
    if (lacking <= 0) return;
    if (leaving?.reason !== 'more slaves than the load needs' || leaving.outSince !== undefined) continue;
    if (!isListed(state, member.slave)) continue;
    lacking -= 1;
    state.members.set(id, member);
    say(state, 'info', `keeping slave ${id} (${describe(member.slave)}): the load has risen again`);
  }
}

/** What EC2 does not show so long after the last call for it did not happen, or only in part. */
function forgetLapsedIntent(state: State, sightAt: number): void {
  const { intent } = state;
  if (intent?.unsureAt === undefined || state.running.has('launch')) return;
  if (sightAt > intent.unsureAt + NEVER_SHOWN) delete state.intent;
}

function launch(state: State, agenda: Agenda, count: number): void {
  const { now } = agenda;
  const { plan, sightAt = Number.NEGATIVE_INFINITY } = state;
  if (plan === undefined || now - state.plannedAt > PLAN_LIFETIME) {
    agenda.add({ kind: 'prepare', config: state.config });
    return;
  }
  if (state.running.has('prepare') || state.running.has('launch')) return;
  if (!agenda.due(state.launchNeedsSightAfter)) return;
  if (sightAt < state.launchNeedsSightAfter || !isFresh(state, now)) {
    agenda.add({ kind: 'look' });
    return;
  }
  state.launches += 1;
  state.intent = { token: `${state.runId}-${state.launches}`, count, plan, shown: 0 };
  say(state, 'debug', `launching ${count} ${count === 1 ? 'slave' : 'slaves'}`);
  agenda.add({ kind: 'launch', intent: state.intent });
}

function sayRange(state: State, { min, max }: Range): void {
  const range = `${min} to ${max}`;
  if (state.said.get('range') === range) return;
  state.said.set('range', range);
  say(state, 'info', inWords(state.lastRate, range));
}

function inWords(rate: number | undefined, range: string): string {
  return `load ${rate?.toFixed(2)} requests/s: ${range} slaves wanted`;
}

/** The load, and how many slaves it calls for; undefined while it is not known. */
export function loadInWords({ config, lastRate }: Readonly<State>): string | undefined {
  if (lastRate === undefined) return undefined;
  const { min, max } = rangeFor(config.loadTable, lastRate);
  return inWords(lastRate, `${min} to ${max}`);
}

/**
 * The master's address may have changed, which would keep its slaves from answering; and which image the slaves should
 * have is known from the plan alone.
 */
function refreshPlan(state: State, agenda: Agenda): void {
  const { bootTimeout, securityGroup } = state.config.slave;
  if (state.members.size === 0) return;
  if (state.plan === undefined) {
    if (agenda.due(Math.max(state.pace.notBefore, state.startedAt + PLAN_SUSPICION)))
      agenda.add({ kind: 'prepare', config: state.config });
    return;
  }
  const isOdd = ({ failures, readySince, firstSeen }: Member) =>
    failures > 0 || (readySince === undefined && agenda.now - firstSeen > bootTimeout / 2);
  // Whom a group of the administrator's lets in is not ours to change.
  const suspicious = securityGroup === undefined && [...state.members.values()].some(isOdd);
  const at = state.plannedAt + (suspicious ? PLAN_SUSPICION : PLAN_LIFETIME);
  if (agenda.due(Math.max(at, state.startedAt + PLAN_SUSPICION)))
    agenda.add({ kind: 'prepare', config: state.config });
}
