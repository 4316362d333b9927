import { type Agenda, createAgenda } from './agenda.ts';
import type { Transition } from './apply.ts';
import { decideSignOfLife } from './decide-alive.ts';
import { saveSpending } from './decide-budget.ts';
import { decideFarm, decideReleases } from './decide-farm.ts';
import { markProven, releaseOverdue, releaseUnanswering } from './decide-health.ts';
import { decideScale } from './decide-scale.ts';
import { decideStop } from './decide-stop.ts';
import { isOutOfService, portsOf } from './members.ts';
import type { End, Member, StateView } from './state.ts';
import type { Task } from './tasks.ts';
import {
  CONFIG_CHECK_INTERVAL,
  EAGER_DESCRIBE_INTERVAL,
  EAGER_PROBE_INTERVAL,
  FIRST_READING_SPAN,
  IDLE_DESCRIBE_INTERVAL,
  LONGEST_ROUND,
  READING_INTERVAL,
  SILENT_PROBE_INTERVAL,
} from './timing.ts';

type Decision = {
  readonly tasks: readonly Task[];
  /** How it changes the state, in this order. */
  readonly transitions: readonly Transition[];
  /** When to decide again though nothing has happened, monotonic ms. */
  readonly wakeAt: number;
  readonly end?: End;
};

/**
 * What to do now: everything that separates what is from what should be and is not being done already.
 *
 * @param state is not changed: `apply` makes the decision's transitions
 * @param now monotonic ms
 */
export function decide(state: StateView, now: number): Decision {
  const agenda = createAgenda(state, now);
  if (state.stop === undefined) {
    decideRound(agenda);
    releaseOverdue(agenda);
    releaseUnanswering(agenda);
    markProven(agenda);
    decideScale(agenda);
    decideProbes(agenda);
  } else {
    const end = decideStop(agenda);
    if (end !== undefined) return { tasks: [], transitions: agenda.transitions, wakeAt: now, end };
  }
  decideSignOfLife(agenda);
  saveSpending(agenda);
  decideFarm(agenda);
  decideReleases(agenda);
  return { tasks: agenda.tasks, transitions: agenda.transitions, wakeAt: agenda.wakeAt() };
}

/** A round: reads the load and the farm file, and describes the instances. */
function decideRound(agenda: Agenda): void {
  const { state, now } = agenda;
  if (agenda.due(state.nextPollAt)) {
    const { pollInterval } = state.config.master;
    const span = state.load.rate === undefined ? Math.min(pollInterval, FIRST_READING_SPAN) : pollInterval;
    // At fixed times, however long a round takes; a machine that slept does not repeat missed rounds.
    const beat = state.nextPollAt + span;
    const nextAt = beat > now ? beat : now + span;
    agenda.change({ kind: 'poll', nextAt });
    agenda.due(nextAt);
    readLoad(agenda);
    if (!state.running.has('write-farm')) agenda.add({ kind: 'read-farm' });
    if (now >= state.configCheckedAt + CONFIG_CHECK_INTERVAL) checkConfig(agenda);
  }
  if (agenda.due(state.nextReadingAt)) readLoad(agenda);
  if (agenda.due(nextConfigCheckAt(state))) checkConfig(agenda);
  if (agenda.due(nextDescribeAt(state))) agenda.add({ kind: 'describe' });
}

/** The load is read more often than the size of the farm is decided, so that certain changes show sooner. */
function readLoad(agenda: Agenda): void {
  const { state, now } = agenda;
  const nextAt = now + Math.min(state.config.master.pollInterval, READING_INTERVAL);
  agenda.change({ kind: 'reading', nextAt });
  agenda.due(nextAt);
  agenda.add({ kind: 'read-load' });
}

/** In each round, and between long ones. New data are for slaves; where there is none they can wait. */
function nextConfigCheckAt(state: StateView): number {
  const longest = state.members.size > 0 ? LONGEST_ROUND : IDLE_DESCRIBE_INTERVAL;
  const isEnough = !state.followsConfig || state.config.master.pollInterval <= longest;
  return isEnough ? Number.POSITIVE_INFINITY : state.configCheckedAt + longest;
}

function checkConfig(agenda: Agenda): void {
  const { state, now } = agenda;
  if (!state.followsConfig) return;
  agenda.change({ kind: 'check config', at: now });
  agenda.due(nextConfigCheckAt(state));
  agenda.add({ kind: 'read-config' });
}

function nextDescribeAt(state: StateView): number {
  if (state.describedAt === undefined) return state.startedAt;
  const members = [...state.members.values()];
  const eager = state.instancesInFlight.size > 0 || members.some(member => awaitsEc2(member));
  if (eager) return state.describedAt + EAGER_DESCRIBE_INTERVAL;
  const busy = members.length > 0 || state.launchInFlight !== undefined;
  if (busy) return state.describedAt + Math.min(state.config.master.pollInterval, LONGEST_ROUND);
  return state.describedAt + IDLE_DESCRIBE_INTERVAL;
}

/** An address that EC2 has not given yet. */
function awaitsEc2(member: Member): boolean {
  return member.leaving === undefined && member.slave.address === undefined;
}

function decideProbes(agenda: Agenda): void {
  const { state } = agenda;
  const round = Math.min(state.config.master.pollInterval, LONGEST_ROUND);
  for (const member of state.members.values()) {
    const { slave, leaving, readySince, failures, refusals, probedAt } = member;
    if (leaving !== undefined || slave.address === undefined) continue;
    const eager = readySince === undefined || failures > 0;
    const busy = isOutOfService(member) && refusals === 0;
    const interval = eager ? Math.min(busy ? SILENT_PROBE_INTERVAL : EAGER_PROBE_INTERVAL, round) : round;
    if (!agenda.due((probedAt ?? Number.NEGATIVE_INFINITY) + interval)) continue;
    const { instanceId, address } = slave;
    agenda.add({
      kind: 'probe',
      instanceId,
      address,
      ports: portsOf(state, slave),
      at: agenda.now,
      ...(state.answeredAt !== undefined && { ec2AnsweredAt: state.answeredAt }),
    });
  }
}
