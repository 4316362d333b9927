import { MINUTE } from '../clock.ts';
import { duration } from '../format/durations.ts';
import { price } from '../format/money.ts';
import { FAILED_BOOTS_TOLERATED, permitted } from '../policy/backoff.ts';
import { onDemandToBuy, replaceOnDemand, type SpotOutage } from '../policy/on-demand.ts';
import type { Situation } from '../policy/scale.ts';
import type { Agenda } from './agenda.ts';
import { onDemandInFlight } from './members.ts';
import type { StateView } from './state.ts';

/** How many slaves run on demand, those that drain and those in flight included. */
export function onDemandIn(state: StateView): number {
  const shown = [...state.members.values()].filter(({ slave }) => slave.onDemand === true).length;
  return shown + onDemandInFlight(state).length;
}

/**
 * How many slaves to buy on demand now, because spot has failed for too long.
 *
 * @param lacking how many slaves fewer than `min` there are
 */
export function decideOnDemand(agenda: Agenda, lacking: number, ceiling: number): number {
  const { state, now } = agenda;
  const { spotOutage: outage, plan, config, backoff, launchInFlight } = state;
  const allowed = config.slave.onDemand;
  const bought = onDemandIn(state);
  if (outage !== undefined && lacking === 0 && bought === 0 && launchInFlight === undefined)
    agenda.change({ kind: 'forget spot outage' });
  const count = onDemandToBuy(outage, { lacking, allowed, bought }, now);
  if (count === 0 || outage === undefined || plan === undefined) return 0;
  if (plan.onDemand === undefined) {
    agenda.say(
      'warn',
      `nothing is bought on demand: the price of ${config.slave.instanceTypes.join(', ')} on demand is not known to this version`,
      { topic: 'on-demand' },
    );
    return 0;
  }
  // What holds spot back does not hold back what is bought in its place, but for slaves that do not become ready.
  const notBefore = backoff.failedBoots < FAILED_BOOTS_TOLERATED ? 0 : backoff.notBefore;
  const { count: permittedCount } = permitted({ ...backoff, notBefore }, count, ceiling, now);
  if (permittedCount > 0) sayBuying(agenda, permittedCount, outage, plan.onDemand.dearest);
  return permittedCount;
}

function sayBuying(agenda: Agenda, count: number, { since, at }: SpotOutage, dearest: number): void {
  const slaves = count === 1 ? '1 slave' : `${count} slaves`;
  agenda.say(
    'warn',
    `spot has had no capacity within the bid for ${duration(Math.max(MINUTE, at - since))}: buying ${slaves} on demand, at ${price(dearest)} an hour each at the most, until there is spot capacity again`,
    { topic: 'on-demand', news: `${since} ${count}` },
  );
}

/**
 * Gives up slaves on demand for spot slaves.
 *
 * @returns how many spot slaves to launch in their place
 */
export function decideReplacing(agenda: Agenda, situation: Situation): number {
  const { state } = agenda;
  const { launch, release, hasNoRoom } = replaceOnDemand(situation, onDemandInFlight(state).length);
  for (const instanceId of release)
    agenda.change({ kind: 'release', instanceId, reason: 'spot slaves serve in its place' });
  if (hasNoRoom)
    agenda.say(
      'warn',
      "slaves run on demand, and the load table's largest max leaves no room for spot slaves beside them: they are replaced when the load falls, or with a larger max",
      { topic: 'on-demand room' },
    );
  else if (state.said.has('on-demand room')) agenda.change({ kind: 'resolve', topic: 'on-demand room' });
  return launch;
}
