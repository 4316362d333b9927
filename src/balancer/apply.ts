import type { Level } from '../log/log.ts';
import { afterGoodBoot } from '../policy/backoff.ts';
import type { LaunchRequest } from '../spot/launch.ts';
import { type BootTrouble, recordFailedBoot } from './failed-boots.ts';
import { slaveInWords } from './members.ts';
import { type LeavingReason, resolved, type State, say, sayOnce } from './state.ts';

/** A change of what the balancer knows, as data. Moments are monotonic ms. */
export type Transition =
  /** The next reading of the load is due then. */
  | { readonly kind: 'reading'; readonly nextAt: number }
  /** A poll begins: the farm is decided about with the next reading. */
  | { readonly kind: 'poll'; readonly nextAt: number }
  | { readonly kind: 'check config'; readonly at: number }
  /** A slave has to leave; the first reason stays. */
  | {
      readonly kind: 'release';
      readonly instanceId: string;
      readonly reason: LeavingReason;
      /** What the log says besides. */
      readonly cause?: string;
    }
  /** A slave that had to leave but is still in the farm file stays. */
  | { readonly kind: 'keep'; readonly instanceId: string }
  /** GBrowse no longer knows the slave: its drain begins. */
  | { readonly kind: 'drain'; readonly instanceId: string; readonly since: number }
  /** A slave has served long enough to show that its image is good. */
  | { readonly kind: 'prove'; readonly instanceId: string }
  | {
      readonly kind: 'count failed boot';
      readonly trouble: BootTrouble;
      readonly reason: string;
      readonly at: number;
    }
  | { readonly kind: 'request launch'; readonly request: LaunchRequest }
  /** Spot is not known to fail: nothing is lacking that it could not give. */
  | { readonly kind: 'forget spot outage' }
  /** A launch whose outcome nobody knows is given up. */
  | { readonly kind: 'forget launch' }
  /** An instance that was launched and never shown is given up. */
  | { readonly kind: 'forget instance'; readonly instanceId: string }
  | { readonly kind: 'refresh instances'; readonly size: number; readonly failedBoots: number }
  | { readonly kind: 'end instance refresh' }
  /** The budget of a month is used up. */
  | { readonly kind: 'use up budget'; readonly month: string; readonly budget: number }
  /** The farm file cannot be emptied: the stop goes on without it. */
  | { readonly kind: 'give up farm file' }
  /** A log entry; with a topic, only when `news` (or the message, apart from its numbers) has changed. */
  | {
      readonly kind: 'say';
      readonly level: Level;
      readonly message: string;
      readonly topic?: string;
      readonly news?: string;
    }
  /** What was said about a topic may be said again; `message` when there was something. */
  | { readonly kind: 'resolve'; readonly topic: string; readonly message?: string };

/** Makes a change. Everything that a decision changes is changed here. */
export function apply(state: State, transition: Transition): void {
  switch (transition.kind) {
    case 'poll':
      state.nextPollAt = transition.nextAt;
      state.pollIsDue = true;
      return;
    case 'reading':
      state.nextReadingAt = transition.nextAt;
      return;
    case 'check config':
      state.configCheckedAt = transition.at;
      return;
    case 'release':
      release(state, transition.instanceId, transition.reason, transition.cause);
      return;
    case 'keep': {
      const member = state.members.get(transition.instanceId);
      if (member === undefined) return;
      const { leaving: _, ...staying } = member;
      state.members.set(transition.instanceId, staying);
      return;
    }
    case 'drain': {
      const member = state.members.get(transition.instanceId);
      if (member?.leaving === undefined) return;
      const leaving = { ...member.leaving, outSince: transition.since };
      state.members.set(transition.instanceId, { ...member, leaving });
      return;
    }
    case 'prove': {
      const member = state.members.get(transition.instanceId);
      if (member === undefined) return;
      state.members.set(transition.instanceId, { ...member, proven: true });
      state.backoff = afterGoodBoot(state.backoff);
      return;
    }
    case 'count failed boot':
      recordFailedBoot(state, transition.trouble, transition.reason, transition.at);
      return;
    case 'request launch':
      state.launches += 1;
      state.launchInFlight = { ...transition.request, shown: 0 };
      if (transition.request.onDemand !== undefined && state.spotOutage !== undefined)
        state.spotOutage = { ...state.spotOutage, used: true };
      return;
    case 'forget spot outage':
      delete state.spotOutage;
      return;
    case 'forget launch':
      delete state.launchInFlight;
      return;
    case 'forget instance':
      state.instancesInFlight.delete(transition.instanceId);
      return;
    case 'refresh instances':
      state.instanceRefresh = { size: transition.size, failedBoots: transition.failedBoots };
      return;
    case 'end instance refresh':
      delete state.instanceRefresh;
      return;
    case 'use up budget': {
      if (state.spending === undefined) return;
      const { month, budget } = transition;
      const ledger = { ...state.spending.ledger, usedUp: { month, budget } };
      state.spending = { ...state.spending, ledger };
      return;
    }
    case 'give up farm file':
      state.listed = [];
      return;
    case 'say': {
      const { level, message, topic, news } = transition;
      if (topic === undefined) say(state, level, message);
      else sayOnce(state, topic, level, message, news);
      return;
    }
    case 'resolve':
      resolved(state, transition.topic, transition.message);
      return;
  }
}

function release(state: State, instanceId: string, reason: LeavingReason, cause?: string): void {
  const member = state.members.get(instanceId);
  if (member === undefined || member.leaving !== undefined) return;
  const leaving = { reason, tagged: member.slave.drainingSince !== undefined };
  state.members.set(instanceId, { ...member, leaving });
  say(
    state,
    reason === 'it does not answer' || reason === 'it did not become ready in time' ? 'warn' : 'info',
    `releasing slave ${instanceId} (${slaveInWords(member.slave)}): ${reason}${cause === undefined ? '' : `: ${cause}`}`,
  );
}
