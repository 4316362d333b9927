import type { ProbeAnswer } from '../farm/farm.ts';
import { afterFailedBoot, afterReady } from '../policy/backoff.ts';
import { apply } from './apply.ts';
import { slaveInWords } from './members.ts';
import { type State, say } from './state.ts';
import { FAILURES_TOLERATED } from './timing.ts';

/** What a probe found. */
export function recordProbe(
  state: State,
  { instanceId, address }: { readonly instanceId: string; readonly address: string },
  answer: ProbeAnswer,
  now: number,
): void {
  const member = state.members.get(instanceId);
  if (member === undefined || member.leaving !== undefined || member.slave.address !== address) return;
  if (answer === 'unknown') {
    state.members.set(instanceId, { ...member, probedAt: now });
    return;
  }
  if (answer === 'answered') {
    if (member.readySince === undefined) {
      const seconds = Math.round((now - member.firstSeen) / 1000);
      say(state, 'info', `slave ${instanceId} (${slaveInWords(member.slave)}) is ready after ${seconds} s`);
      state.backoff = afterReady(state.backoff, now);
    }
    state.members.set(instanceId, {
      ...member,
      readySince: member.readySince ?? now,
      probedAt: now,
      failures: 0,
      mayBeInUse: true,
    });
    return;
  }
  const failures = member.readySince === undefined ? 0 : member.failures + 1;
  state.members.set(instanceId, { ...member, probedAt: now, failures });
  if (failures > 0) {
    say(
      state,
      'warn',
      `slave ${instanceId} (${slaveInWords(member.slave)}) did not answer, ${failures} of ${FAILURES_TOLERATED}`,
    );
  }
  if (failures < FAILURES_TOLERATED) return;
  apply(state, { kind: 'release', instanceId, reason: 'it does not answer' });
  if (!member.proven)
    state.backoff = afterFailedBoot(state.backoff, `${instanceId} served but a short time`, now);
}
