import type { Config } from '../config/config.ts';
import { isEc2Error, mayHaveHappened, type Trouble, troubleOf } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { afterLaunch, afterRefusal } from '../policy/backoff.ts';
import { type LaunchOutcome, type LaunchPlan, type LaunchRequest, worstRefusal } from '../spot/launch.ts';
import { type State, say, sayOnce } from './state.ts';
import { PLAN_AGAIN, PLAN_LIFETIME, SETTLE_TIME } from './timing.ts';

/** Everything that a launch with this configuration needs is there. */
export function recordPlan(state: State, config: Config, plan: LaunchPlan, now: number): void {
  // A template from before this process: its maker may have launched a moment ago what EC2 does not show yet.
  if (plan.found && state.plannedAt === Number.NEGATIVE_INFINITY) {
    state.launchNeedsAnswerAfter = Math.max(state.launchNeedsAnswerAfter, state.startedAt + SETTLE_TIME);
  }
  state.preparedAt = now;
  if (config !== state.config) return;
  // A template that has no activity tag yet.
  if (plan.templateId !== state.plan?.templateId) state.aliveAt = Number.NEGATIVE_INFINITY;
  state.plan = plan;
  if (plan.warning === undefined) state.said.delete('plan');
  else sayOnce(state, 'plan', 'warn', plan.warning);
  state.plannedAt = now;
}

/** What a launch needs could not be prepared. */
export function recordNoPlan(state: State, error: unknown, now: number): void {
  state.preparedAt = now;
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
  if (instanceIds.length > 0) {
    state.backoff = afterLaunch(state.backoff, unseen.length, now);
    state.said.delete('launch');
    say(state, 'info', `launched ${instanceIds.join(', ')}`);
    for (const refusal of refusals) say(state, 'debug', `${refusal.code}: ${refusal.message}`);
    return;
  }
  const worst = worstRefusal(refusals);
  const why = worst === undefined ? 'EC2 gave no instance and no reason' : `${worst.code}: ${worst.message}`;
  const trouble = worst?.trouble ?? 'capacity';
  state.backoff = afterRefusal(state.backoff, trouble, why, now);
  if (isLost(trouble)) delete state.plan;
  sayLaunchTrouble(state, trouble === 'price' ? `${why} (waiting for the price to fall)` : why, now);
}

/** A launch was refused as a whole, or nobody knows what became of it. */
export function recordRefusedLaunch(state: State, request: LaunchRequest, error: unknown, now: number): void {
  const trouble = troubleIn(error);
  state.backoff = afterRefusal(state.backoff, trouble, explain(error), now);
  // The plan names something that is gone: find out what exists first.
  if (isLost(trouble)) delete state.plan;
  state.launchNeedsAnswerAfter = now;
  if (state.launchInFlight?.token === request.token) {
    if (mayHaveHappened(error)) state.launchInFlight = { ...state.launchInFlight, unsureAt: now };
    // A refusal says nothing about an earlier call for the same launch whose answer was lost.
    else if (state.launchInFlight.unsureAt === undefined) delete state.launchInFlight;
  }
  sayLaunchTrouble(state, explain(error), now);
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
