import type { ProbeAnswer } from '../farm/farm.ts';
import { afterReady } from '../policy/backoff.ts';
import { withBoot } from '../policy/release.ts';
import { recordGoodBoot } from './failed-boots.ts';
import { isOutOfService, slaveInWords } from './members.ts';
import { type Member, type State, say } from './state.ts';
import { FAILURES_TOLERATED } from './timing.ts';

/** Which slave was asked, at which address, when that began, and when EC2 had last answered then (monotonic ms). */
type Probed = {
  readonly instanceId: string;
  readonly address: string;
  readonly at: number;
  readonly ec2AnsweredAt?: number;
};

/** Records what a probe found. */
export function recordProbe(state: State, probed: Probed, answer: ProbeAnswer, now: number): void {
  const { instanceId, address } = probed;
  const member = state.members.get(instanceId);
  if (member === undefined || member.leaving !== undefined || member.slave.address !== address) return;
  if (answer === 'unknown') state.members.set(instanceId, notAsked(member, now));
  else if (answer === 'answered') recordAnswer(state, member, now);
  else recordFailure(state, member, { ...probed, answer, now });
}

/** A probe that this machine could not make says nothing about the slave: the time does not count against it. */
function notAsked(member: Member, now: number): Member {
  const unasked = now - Math.max(member.probedAt ?? member.firstSeen, member.firstSeen);
  const { readySince, failingSince } = member;
  if (readySince === undefined) return { ...member, probedAt: now, firstSeen: member.firstSeen + unasked };
  return {
    ...member,
    probedAt: now,
    ...(failingSince !== undefined && { failingSince: Math.min(now, failingSince + unasked) }),
  };
}

function recordAnswer(state: State, member: Member, now: number): void {
  const name = `slave ${member.slave.instanceId} (${slaveInWords(member.slave)})`;
  if (member.readySince === undefined) {
    say(state, 'info', `${name} is ready after ${Math.round((now - member.firstSeen) / 1000)} s`);
    state.backoff = afterReady(state.backoff, now);
    recordGoodBoot(state);
    const { launchAnsweredAt } = member;
    if (launchAnsweredAt !== undefined) state.boots = withBoot(state.boots, now - launchAnsweredAt);
  } else if (isOutOfService(member)) {
    say(state, 'info', `${name} answers again: returned to the farm`);
  }
  const { failingSince: _, ...healthy } = member;
  state.members.set(member.slave.instanceId, {
    ...healthy,
    readySince: member.readySince ?? now,
    probedAt: now,
    failures: 0,
    refusals: 0,
    mayBeInUse: true,
  });
}

function recordFailure(
  state: State,
  member: Member,
  { answer, at, ec2AnsweredAt, now }: Probed & { readonly answer: ProbeAnswer; readonly now: number },
): void {
  const { instanceId } = member.slave;
  const heard = ec2AnsweredAt !== undefined && { failedAfterAnswerAt: ec2AnsweredAt };
  if (member.readySince === undefined) {
    state.members.set(instanceId, { ...member, probedAt: now, bootAnswer: answer, ...heard });
    return;
  }
  const failures = member.failures + 1;
  const failed: Member = {
    ...member,
    probedAt: now,
    failures,
    refusals: answer === 'refused' ? member.refusals + 1 : 0,
    failingSince: member.failingSince ?? at,
    ...heard,
  };
  state.members.set(instanceId, failed);
  const what = WHAT[answer] ?? 'does not answer';
  const name = `slave ${instanceId} (${slaveInWords(member.slave)})`;
  if (failures < FAILURES_TOLERATED) {
    say(state, 'warn', `${name} ${what}: probe ${failures} of ${FAILURES_TOLERATED}`);
  } else if (failures === FAILURES_TOLERATED) {
    say(state, 'warn', `${name} ${what}: removed from the farm until it answers again`);
  }
}

const WHAT: Partial<Record<ProbeAnswer, string>> = {
  refused: 'refuses connections',
  silent: 'accepts connections and does not answer',
  dark: 'cannot be reached',
};
