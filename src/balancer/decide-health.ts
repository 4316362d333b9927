import type { Agenda } from './agenda.ts';
import { bootTroubleOf } from './failed-boots.ts';
import type { Member } from './state.ts';
import { EAGER_DESCRIBE_INTERVAL, FAILURES_TOLERATED, GIVE_UP_AFTER, LONGEST_ROUND } from './timing.ts';

/** Gives up on slaves that were not ready in time. */
export function releaseOverdue(agenda: Agenda): void {
  const { state, now } = agenda;
  for (const [instanceId, member] of state.members) {
    if (member.readySince !== undefined || member.leaving !== undefined) continue;
    const overdueAt = member.firstSeen + state.config.slave.bootTimeout;
    if (!agenda.due(overdueAt) || !isItsOwnFault(agenda, member, overdueAt - 2 * LONGEST_ROUND)) continue;
    const { kind: trouble, why } = bootTroubleOf(state, member);
    agenda.change({ kind: 'release', instanceId, reason: 'it did not become ready in time', cause: why });
    const reason = `${instanceId} was not ready in time: ${why}`;
    agenda.change({ kind: 'count failed boot', trouble, reason, at: now });
  }
}

/**
 * Gives up on slaves that do not answer: one whose process is gone after three refusals, one that may only be busy after
 * three times GBrowse's slave_timeout.
 */
export function releaseUnanswering(agenda: Agenda): void {
  const { state, now } = agenda;
  for (const [instanceId, member] of state.members) {
    const { leaving, failingSince, refusals, proven } = member;
    if (leaving !== undefined || failingSince === undefined) continue;
    const isGone = refusals >= FAILURES_TOLERATED;
    const givenUpAt = failingSince + GIVE_UP_AFTER;
    if (!isGone && !agenda.due(givenUpAt)) continue;
    // A refusal has come through the network; silence may be the network's, to the last moment.
    if (!isItsOwnFault(agenda, member, isGone ? failingSince : givenUpAt)) continue;
    agenda.change({ kind: 'release', instanceId, reason: 'it does not answer' });
    if (!proven)
      agenda.change({
        kind: 'count failed boot',
        trouble: 'stopped answering',
        reason: `${instanceId} stopped answering soon after it was ready`,
        at: now,
      });
  }
}

/**
 * Whether EC2 has answered since, and a probe that began after that has failed too. While EC2 cannot be reached either,
 * the trouble may be the master's own network.
 */
function isItsOwnFault(agenda: Agenda, member: Member, since: number): boolean {
  const { answeredAt = Number.NEGATIVE_INFINITY, describedAt = Number.NEGATIVE_INFINITY } = agenda.state;
  const isProbed = member.slave.address !== undefined;
  const confirmedAt = isProbed ? member.failedAfterAnswerAt : answeredAt;
  if (confirmedAt !== undefined && confirmedAt > since) return true;
  if (answeredAt <= since && agenda.due(describedAt + EAGER_DESCRIBE_INTERVAL))
    agenda.add({ kind: 'describe' });
  return false;
}

/** A slave that has served for as long as a boot may take shows that its image is good. */
export function markProven(agenda: Agenda): void {
  const { state } = agenda;
  for (const [instanceId, { proven, readySince, leaving }] of state.members) {
    if (proven || readySince === undefined || leaving !== undefined) continue;
    if (agenda.due(readySince + state.config.slave.bootTimeout)) agenda.change({ kind: 'prove', instanceId });
  }
}
