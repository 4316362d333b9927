import { type Agenda, createAgenda } from './agenda.ts';
import { decideSignOfLife } from './decide-alive.ts';
import { decideFarm, decideReleases } from './decide-farm.ts';
import { decideScale } from './decide-scale.ts';
import { decideStop } from './decide-stop.ts';
import { noteOverdue, noteProven, portsOf } from './members.ts';
import type { Member, State } from './state.ts';
import type { Task } from './tasks.ts';
import {
  CONFIG_LOOK_INTERVAL,
  EAGER_LOOK_INTERVAL,
  EAGER_PROBE_INTERVAL,
  FIRST_READING_SPAN,
  IDLE_LOOK_INTERVAL,
  LONGEST_ROUND,
} from './timing.ts';

/** How a stopped balancer leaves things. */
export type End = 'clean' | 'slaves kept' | 'hurried' | 'incomplete';

export type Decision = {
  readonly tasks: readonly Task[];
  /** When to decide again though nothing has happened, monotonic ms. */
  readonly wakeAt: number;
  readonly end?: End;
};

/**
 * What to do now: everything that stands between what is and what should be, as far as it is not being done already.
 *
 * @param now monotonic ms
 */
export function decide(state: State, now: number): Decision {
  const agenda = createAgenda(state, now);
  if (state.stop === undefined) {
    decideRound(state, agenda);
    noteOverdue(state, agenda);
    noteProven(state, agenda);
    decideScale(state, agenda);
    decideProbes(state, agenda);
  } else {
    const end = decideStop(state, agenda);
    if (end !== undefined) return { tasks: [], wakeAt: now, end };
  }
  decideSignOfLife(state, agenda);
  decideFarm(state, agenda);
  decideReleases(state, agenda);
  return { tasks: agenda.tasks, wakeAt: agenda.wakeAt() };
}

/** A round: the load, the farm file and EC2 are looked at anew. */
function decideRound(state: State, agenda: Agenda): void {
  const { now } = agenda;
  if (agenda.due(state.nextPollAt)) {
    const { pollInterval } = state.config.master;
    const span = state.load.rate === undefined ? Math.min(pollInterval, FIRST_READING_SPAN) : pollInterval;
    // On the beat, however long a round takes; a sleeping machine does not make up for lost rounds.
    const beat = state.nextPollAt + span;
    state.nextPollAt = beat > now ? beat : now + span;
    agenda.due(state.nextPollAt);
    agenda.add({ kind: 'read-load' });
    if (!state.running.has('write-farm')) agenda.add({ kind: 'read-farm' });
    if (now >= state.configLookedAt + CONFIG_LOOK_INTERVAL) lookAtConfig(state, agenda);
  }
  if (agenda.due(nextConfigLookAt(state))) lookAtConfig(state, agenda);
  if (agenda.due(nextLookAt(state))) agenda.add({ kind: 'look' });
}

/** In each round, and between long ones. New data are for slaves; where there is none they can wait. */
function nextConfigLookAt(state: State): number {
  const longest = state.members.size > 0 ? LONGEST_ROUND : IDLE_LOOK_INTERVAL;
  const isEnough = !state.followsConfig || state.config.master.pollInterval <= longest;
  return isEnough ? Number.POSITIVE_INFINITY : state.configLookedAt + longest;
}

function lookAtConfig(state: State, agenda: Agenda): void {
  if (!state.followsConfig) return;
  state.configLookedAt = agenda.now;
  agenda.due(nextConfigLookAt(state));
  agenda.add({ kind: 'read-config' });
}

function nextLookAt(state: State): number {
  if (state.sightAt === undefined) return state.startedAt;
  const members = [...state.members.values()];
  const eager = state.expected.size > 0 || members.some(member => awaitsEc2(member));
  if (eager) return state.sightAt + EAGER_LOOK_INTERVAL;
  const busy = members.length > 0 || state.intent !== undefined;
  if (busy) return state.sightAt + Math.min(state.config.master.pollInterval, LONGEST_ROUND);
  return state.sightAt + IDLE_LOOK_INTERVAL;
}

/** An address that EC2 has not given yet. */
function awaitsEc2(member: Member): boolean {
  return member.leaving === undefined && member.slave.address === undefined;
}

function decideProbes(state: State, agenda: Agenda): void {
  const round = Math.min(state.config.master.pollInterval, LONGEST_ROUND);
  for (const { slave, leaving, readySince, failures, probedAt } of state.members.values()) {
    if (leaving !== undefined || slave.address === undefined) continue;
    const eager = readySince === undefined || failures > 0;
    const interval = eager ? Math.min(EAGER_PROBE_INTERVAL, round) : round;
    if (!agenda.due((probedAt ?? Number.NEGATIVE_INFINITY) + interval)) continue;
    const { instanceId, address } = slave;
    agenda.add({ kind: 'probe', instanceId, address, ports: portsOf(state, slave) });
  }
}
