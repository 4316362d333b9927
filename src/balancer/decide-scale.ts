import { permitted } from '../policy/backoff.ts';
import { largestMax, type Range } from '../policy/load-table.ts';
import { replaceOnDemand } from '../policy/on-demand.ts';
import { scale } from '../policy/scale.ts';
import type { LaunchRequest } from '../spot/launch.ts';
import type { Agenda } from './agenda.ts';
import { decideBudget } from './decide-budget.ts';
import { decideInstanceRefresh, instanceRefreshOf } from './decide-instance-refresh.ts';
import { decideOnDemand, decideReplacing } from './decide-on-demand.ts';
import {
  candidateOf,
  inFlightIn,
  isListed,
  isOutOfService,
  onDemandInFlight,
  slaveInWords,
} from './members.ts';
import { decidePaused } from './pause.ts';
import { isFresh, type Member, type StateView } from './state.ts';
import { NEVER_SHOWN, PLAN_LIFETIME, PLAN_SUSPICION } from './timing.ts';
import { isLoadKnown, keepTimeIn, loadThatCounts, wantedRange } from './wanted.ts';

/** Brings the number of slaves into the range that the load calls for. */
export function decideScale(agenda: Agenda): void {
  const { state } = agenda;
  const range = wantedRange(state);
  if (state.describedAt === undefined) return;
  // Slaves that a pause keeps cost money, too.
  if (decideBudget(agenda)) {
    forgetLapsedLaunch(agenda, state.describedAt);
    return;
  }
  if (state.pause !== undefined) {
    forgetLapsedLaunch(agenda, state.describedAt);
    decidePaused(agenda);
    refreshPlan(agenda);
    return;
  }
  if (range === undefined) return;
  forgetLapsedLaunch(agenda, state.describedAt);
  const { launchInFlight: request } = state;
  takeBack(agenda, range);
  const ceiling = largestMax(state.config.loadTable);
  const situation = {
    range,
    loadIsKnown: isLoadKnown(state),
    ceiling,
    slaves: [...state.members.values()].map(member => candidateOf(state, member)),
    inFlight: state.instancesInFlight.size,
  };
  const requested = { ...situation, inFlight: inFlightIn(state) };
  const scaling = scale(requested);
  sayRange(agenda, range);
  for (const instanceId of scaling.release)
    agenda.change({ kind: 'release', instanceId, reason: 'more slaves than the load needs' });
  const renewing = scaling.release.length > 0 ? 0 : decideInstanceRefresh(agenda, requested);
  const isRenewing = requested.slaves.some(it => it.outdated && it.standing !== 'leaving');
  const replacing =
    scaling.release.length > 0 || isRenewing || renewing > 0 ? 0 : decideReplacing(agenda, requested);
  const wanted = Math.max(scaling.launch, renewing, replacing);

  // A launch whose answer was lost is repeated with its token until EC2 says what became of it; one that may have had
  // no effect, only while it is still wanted.
  if (request !== undefined) {
    const still =
      request.onDemand === undefined
        ? Math.max(
            scale(situation).launch,
            instanceRefreshOf(state, situation, agenda.now).launch,
            replaceOnDemand(situation, onDemandInFlight(state).length).launch,
          )
        : Math.min(scale(situation).launch, state.config.slave.onDemand);
    if ((request.shown > 0 || still >= request.count) && agenda.due(state.backoff.notBefore))
      agenda.add({ kind: 'launch', request });
    return;
  }
  const buying = decideOnDemand(agenda, scaling.launch, ceiling);
  if (buying > 0) {
    launch(agenda, buying, 'on demand');
    return;
  }
  const allowed = permitted(state.backoff, wanted, ceiling, agenda.now);
  if (allowed.count === 0) {
    if (wanted > 0) agenda.due(allowed.notBefore);
    refreshPlan(agenda);
    return;
  }
  launch(agenda, allowed.count);
}

/**
 * A slave that had to leave because there were too many, and that is still in the farm file (it could not be written),
 * stays when the load has risen again.
 */
function takeBack(agenda: Agenda, range: Range): void {
  const { state } = agenda;
  if (state.running.has('write-farm')) return;
  const members = [...state.members];
  let lacking =
    range.min -
    state.instancesInFlight.size -
    members.filter(([, it]) => it.leaving === undefined && !isOutOfService(it)).length;
  for (const [id, { leaving, slave }] of members) {
    if (lacking <= 0) return;
    if (leaving?.reason !== 'more slaves than the load needs' || leaving.outSince !== undefined) continue;
    if (!isListed(state, slave)) continue;
    lacking -= 1;
    agenda.change({ kind: 'keep', instanceId: id });
    agenda.say('info', `keeping slave ${id} (${slaveInWords(slave)}): the load has risen again`);
  }
}

/** What EC2 does not show this long after the last call did not happen, or only in part. */
function forgetLapsedLaunch(agenda: Agenda, describedAt: number): void {
  const { launchInFlight: request, running } = agenda.state;
  if (request?.unsureAt === undefined || running.has('launch')) return;
  if (describedAt > request.unsureAt + NEVER_SHOWN) agenda.change({ kind: 'forget launch' });
}

function launch(agenda: Agenda, count: number, how: 'spot' | 'on demand' = 'spot'): void {
  const { state, now } = agenda;
  const { plan, describedAt = Number.NEGATIVE_INFINITY } = state;
  if (plan === undefined || now - state.plannedAt > PLAN_LIFETIME) {
    agenda.add({ kind: 'prepare', config: state.config });
    return;
  }
  if (state.running.has('prepare') || state.running.has('launch')) return;
  if (!agenda.due(state.launchNeedsAnswerAfter)) return;
  if (describedAt < state.launchNeedsAnswerAfter || !isFresh(state, now)) {
    agenda.add({ kind: 'describe' });
    return;
  }
  const { onDemand } = plan;
  const request: LaunchRequest = {
    token: `${state.runId}-${state.launches + 1}`,
    count,
    plan,
    ...(how === 'on demand' && onDemand !== undefined && { onDemand }),
  };
  agenda.change({ kind: 'request launch', request });
  agenda.say(
    'debug',
    `launching ${count} ${count === 1 ? 'slave' : 'slaves'}${how === 'spot' ? '' : ' on demand'}`,
  );
  agenda.add({ kind: 'launch', request });
}

function sayRange(agenda: Agenda, { min, max }: Range): void {
  const message = loadInWords(agenda.state);
  if (message !== undefined) agenda.say('info', message, { topic: 'range', news: `${min} to ${max}` });
}

/** The load, and how many slaves it calls for; undefined while it is not known. */
export function loadInWords(state: StateView): string | undefined {
  const range = wantedRange(state);
  const counts = loadThatCounts(state);
  if (range === undefined || counts === undefined) return undefined;
  const load =
    state.overloadCounts === undefined
      ? `load ${counts.toFixed(2)} requests/s`
      : `Apache is overloaded, which counts as ${counts.toFixed(2)} requests/s`;
  const kept = keepTimeIn(state) !== undefined && range.max > range.min;
  const why = kept ? `, ${range.max - range.min} of them kept in case the load comes back` : '';
  return `${load}: ${range.min} to ${range.max} slaves wanted${why}`;
}

/**
 * The master's address may have changed, so that its slaves cannot answer; and only the plan knows which image the
 * slaves should have.
 */
function refreshPlan(agenda: Agenda): void {
  const { state } = agenda;
  const { bootTimeout, securityGroup } = state.config.slave;
  if (state.members.size === 0) return;
  if (state.plan === undefined) {
    if (agenda.due(Math.max(state.backoff.notBefore, state.startedAt + PLAN_SUSPICION)))
      agenda.add({ kind: 'prepare', config: state.config });
    return;
  }
  const isOdd = ({ failures, readySince, firstSeen }: Member) =>
    failures > 0 || (readySince === undefined && agenda.now - firstSeen > bootTimeout / 2);
  // We never change the rules of a group that the administrator named.
  const suspicious = securityGroup === undefined && [...state.members.values()].some(isOdd);
  const at = state.plannedAt + (suspicious ? PLAN_SUSPICION : PLAN_LIFETIME);
  if (agenda.due(Math.max(at, state.startedAt + PLAN_SUSPICION)))
    agenda.add({ kind: 'prepare', config: state.config });
}
