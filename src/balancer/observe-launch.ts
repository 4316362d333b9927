import type { Config } from '../config/config.ts';
import {
  isEc2Error,
  isImageOrSnapshotGone,
  mayHaveHappened,
  type Trouble,
  troubleOf,
} from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { afterLaunch, afterRefusal, FAILED_BOOTS_TOLERATED } from '../policy/backoff.ts';
import { afterSpotRefusal, nextSpotAttempt } from '../policy/on-demand.ts';
import { isImageMissing } from '../spot/image.ts';
import {
  type LaunchOutcome,
  type LaunchPlan,
  type LaunchRequest,
  type OnDemandPlan,
  worstRefusal,
} from '../spot/launch.ts';
import { resolved, type State, say, sayOnce } from './state.ts';
import { PLAN_AGAIN, PLAN_LIFETIME, SETTLE_TIME } from './timing.ts';
import { recordVolumes } from './volumes.ts';

/** Everything that a launch with this configuration needs is there. */
export function recordPlan(state: State, config: Config, plan: LaunchPlan, now: number): void {
  // A template from before this process: its maker may have launched a moment ago what EC2 does not show yet.
  if (plan.found && state.plannedAt === Number.NEGATIVE_INFINITY) {
    state.launchNeedsAnswerAfter = Math.max(state.launchNeedsAnswerAfter, state.startedAt + SETTLE_TIME);
  }
  state.preparedAt = now;
  recordVolumes(state, config, plan);
  if (config !== state.config) return;
  if (state.missing?.by === 'prepare') delete state.missing;
  // A template that has no activity tag yet.
  if (templatesOf(plan) !== templatesOf(state.plan)) state.aliveAt = Number.NEGATIVE_INFINITY;
  state.plan = plan;
  if (plan.warning === undefined) state.said.delete('plan');
  else sayOnce(state, 'plan', 'warn', plan.warning);
  state.plannedAt = now;
}

function templatesOf(plan: LaunchPlan | undefined): string {
  return `${plan?.templateId} ${plan?.onDemand?.templateId}`;
}

/** What a launch needs could not be prepared. */
export function recordNoPlan(state: State, error: unknown, now: number): void {
  state.preparedAt = now;
  if (isImageMissing(error) || (isEc2Error(error) && isImageOrSnapshotGone(error)))
    state.missing = { why: explain(error), by: 'prepare' };
  // The old plan still serves: if part of it is gone, the launch says so.
  if (state.plan !== undefined) {
    state.plannedAt = Math.max(state.plannedAt, now - PLAN_LIFETIME + PLAN_AGAIN);
    sayOnce(
      state,
      'prepare',
      'warn',
      `security group and launch template cannot be checked: ${explain(error)}`,
    );
    return;
  }
  const action = isEc2Error(error) ? error.action : 'prepare';
  state.backoff = afterRefusal(state.backoff, troubleIn(error), explain(error), now, action);
  sayLaunchTrouble(state, explain(error), now);
}

/** CreateFleet has answered. */
export function recordLaunch(
  state: State,
  request: LaunchRequest,
  outcome: LaunchOutcome,
  now: number,
): void {
  if (state.launchInFlight?.token === request.token) delete state.launchInFlight;
  state.launchNeedsAnswerAfter = now;
  const { instanceIds, refusals } = outcome;
  const unseen = instanceIds.filter(id => !state.members.has(id));
  for (const id of unseen) state.instancesInFlight.set(id, now);
  if (request.onDemand !== undefined) {
    recordOnDemandLaunch(state, request.onDemand, outcome, now);
    return;
  }
  if (instanceIds.length > 0) {
    state.backoff = afterLaunch(state.backoff, unseen.length, now);
    state.said.delete('launch');
    delete state.spotOutage;
    resolved(state, 'on-demand', 'there is spot capacity again: spot slaves replace those on demand');
    delete state.missing;
    say(state, 'info', `launched ${instanceIds.join(', ')}`);
    for (const refusal of refusals) say(state, 'debug', `${refusal.code}: ${refusal.message}`);
    return;
  }
  const worst = worstRefusal(refusals);
  const why = worst === undefined ? 'EC2 gave no instance and no reason' : `${worst.code}: ${worst.message}`;
  const trouble = worst?.trouble ?? 'capacity';
  state.backoff = afterRefusal(state.backoff, trouble, why, now);
  noteSpotRefusal(state, trouble, now);
  if (isLost(trouble)) delete state.plan;
  const gone = refusals.find(isImageOrSnapshotGone);
  if (gone !== undefined) state.missing = { why: `${gone.code}: ${gone.message}`, by: 'launch' };
  sayLaunchTrouble(state, trouble === 'price' ? `${why} (waiting for the price to fall)` : why, now);
}

/** CreateFleet has answered for slaves on demand. How long spot waits, and why, stays as it is. */
function recordOnDemandLaunch(
  state: State,
  { dearest }: OnDemandPlan,
  { instanceIds, refusals }: LaunchOutcome,
  now: number,
): void {
  const unseen = instanceIds.filter(id => !state.members.has(id));
  for (const id of unseen) state.boughtOnDemand.set(id, dearest);
  const { backoff } = state;
  const after = afterLaunch(backoff, unseen.length, now);
  if (instanceIds.length > 0)
    state.backoff =
      backoff.failedBoots < FAILED_BOOTS_TOLERATED ? { ...backoff, launches: after.launches } : after;
  if (instanceIds.length > 0) {
    state.said.delete('on-demand trouble');
    delete state.missing;
    say(state, 'info', `launched ${instanceIds.join(', ')} on demand`);
    return;
  }
  const worst = worstRefusal(refusals);
  const why = worst === undefined ? 'EC2 gave no instance and no reason' : `${worst.code}: ${worst.message}`;
  if (worst !== undefined && isLost(worst.trouble)) delete state.plan;
  sayOnDemandTrouble(state, why);
}

function sayOnDemandTrouble(state: State, why: string): void {
  sayOnce(
    state,
    'on-demand trouble',
    'warn',
    `no slave could be launched on demand: ${why}; it is tried again whenever spot has no capacity`,
  );
}

/** Remembers for how long spot has had no capacity, and tries it again in time. */
function noteSpotRefusal(state: State, trouble: Trouble, now: number): void {
  if (state.config.slave.onDemand === 0 || (trouble !== 'capacity' && trouble !== 'price')) return;
  state.spotOutage = afterSpotRefusal(state.spotOutage, now);
  const { backoff } = state;
  if (backoff.failedBoots >= FAILED_BOOTS_TOLERATED) return;
  state.backoff = { ...backoff, notBefore: Math.min(backoff.notBefore, nextSpotAttempt(state.spotOutage)) };
}

/** A launch was refused as a whole, or nobody knows what became of it. */
export function recordRefusedLaunch(state: State, request: LaunchRequest, error: unknown, now: number): void {
  const trouble = troubleIn(error);
  const isRefused = request.onDemand !== undefined && !mayHaveHappened(error);
  if (!isRefused) state.backoff = afterRefusal(state.backoff, trouble, explain(error), now);
  if (request.onDemand === undefined) noteSpotRefusal(state, trouble, now);
  // The plan names something that is gone: find out what exists first.
  if (isLost(trouble)) delete state.plan;
  state.launchNeedsAnswerAfter = now;
  if (isEc2Error(error) && isImageOrSnapshotGone(error))
    state.missing = { why: explain(error), by: 'launch' };
  if (state.launchInFlight?.token === request.token) {
    if (mayHaveHappened(error)) state.launchInFlight = { ...state.launchInFlight, unsureAt: now };
    // A refusal says nothing about an earlier call for the same launch whose answer was lost.
    else if (state.launchInFlight.unsureAt === undefined) delete state.launchInFlight;
  }
  if (isRefused) sayOnDemandTrouble(state, explain(error));
  else sayLaunchTrouble(state, explain(error), now);
}

function troubleIn(error: unknown): Trouble {
  return isEc2Error(error) ? troubleOf(error) : 'request';
}

/** Whether the plan names something that is gone, or that EC2 does not accept. */
function isLost(trouble: Trouble): boolean {
  return trouble === 'gone' || trouble === 'request';
}

function sayLaunchTrouble(state: State, why: string, now: number): void {
  const seconds = Math.max(0, Math.round((state.backoff.notBefore - now) / 1000));
  const message = `no slave could be launched: ${why}`;
  const level = state.said.get('launch') === message ? 'debug' : 'warn';
  say(state, level, `${message}; next attempt in ${seconds} s`);
  state.said.set('launch', message);
}
