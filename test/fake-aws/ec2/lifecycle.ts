import type { InstanceStateName, SpotInstanceState, StateReason } from '@aws-sdk/client-ec2';
import { HOUR } from '../../../src/clock.ts';

/** How long EC2 goes on showing what is terminated. */
export const SHOWN_AFTER_END = HOUR;

/** Why EC2 takes a spot instance back: the last word of the request's status code. */
export type ReclaimReason = 'no-capacity' | 'by-price' | 'by-service';

/** Why an instance ended, or will. */
export type EndCause =
  | { readonly by: 'user' }
  | { readonly by: 'instance' }
  | { readonly by: 'spot'; readonly reason: ReclaimReason }
  /** It failed to start, with EC2's code (`Server.InternalError`, `Client.VolumeLimitExceeded`). */
  | { readonly by: 'failure'; readonly code: string };

/** The moments of an instance's life, ms. Everything that is shown of it follows from these. */
export type Life = {
  readonly bornAt: number;
  readonly runningAt: number;
  /** From shutting-down to terminated. */
  readonly shutdownTime: number;
  /** When it begins to shut down: in the future while EC2 has only given notice. */
  end?: { readonly at: number; readonly cause: EndCause };
  /** When EC2 gave notice, and whether the request shows the final status from then on instead of the mark. */
  notice?: { readonly at: number; readonly finalAtOnce: boolean };
  /** When its spot request was cancelled. */
  cancelledAt?: number;
};

/** The state at a moment after its birth. */
export function stateAt(life: Life, moment: number): InstanceStateName {
  const { end } = life;
  if (end !== undefined && moment >= end.at) {
    return moment >= end.at + life.shutdownTime ? 'terminated' : 'shutting-down';
  }
  return moment >= life.runningAt ? 'running' : 'pending';
}

/** Whether it exists as far as capacity, quota and money go. */
export function isLiveAt(life: Life, moment: number): boolean {
  return life.end === undefined || moment < life.end.at;
}

/** Whether EC2 shows it at all. */
export function isShownAt(life: Life, moment: number): boolean {
  const { end } = life;
  return (
    moment >= life.bornAt && (end === undefined || moment < end.at + life.shutdownTime + SHOWN_AFTER_END)
  );
}

/** Ends it at this moment; an end that comes sooner stays. */
export function endLife(life: Life, at: number, cause: EndCause): void {
  if (life.end === undefined || at < life.end.at) life.end = { at, cause };
}

export const STATE_CODES: Readonly<Record<InstanceStateName, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** `StateReason`: what ended it, once it has. */
export function stateReasonAt(life: Life, moment: number): StateReason | undefined {
  const { end } = life;
  if (end === undefined || moment < end.at) return undefined;
  const { cause } = end;
  if (cause.by === 'user') return reason('Client.UserInitiatedShutdown', 'User initiated shutdown');
  if (cause.by === 'instance')
    return reason('Client.InstanceInitiatedShutdown', 'Instance initiated shutdown');
  if (cause.by === 'failure') return reason(cause.code, 'The instance failed to start');
  return reason(
    'Server.SpotInstanceTermination',
    cause.reason === 'by-price'
      ? 'Instance terminated because the Spot price rose above its maximum price'
      : 'Instance terminated because there is no more Spot capacity',
  );
}

/** `StateTransitionReason`: the same as a sentence; empty while nothing ended it. */
export function transitionReasonAt(life: Life, moment: number): string {
  const { end } = life;
  if (end === undefined || moment < end.at) return '';
  if (end.cause.by !== 'user') return stateReasonAt(life, moment)?.Code ?? '';
  return `User initiated (${new Date(end.at).toISOString().slice(0, 19).replace('T', ' ')} GMT)`;
}

function reason(code: string, text: string): StateReason {
  return { Code: code, Message: `${code}: ${text}` };
}

/** A spot request's state and status, as an answer has them. */
export type RequestState = {
  readonly State: SpotInstanceState;
  readonly Status: { Code: string; Message: string; UpdateTime: Date };
};

/**
 * State and status of the spot request behind an instance. From AWS's page "Get the status of a Spot Instance request":
 * a one-time request is active while its instance lives and closed after, or cancelled when it was cancelled before.
 */
export function requestAt(life: Life, moment: number): RequestState {
  const { end, notice, cancelledAt } = life;
  const cancelled = cancelledAt !== undefined && moment >= cancelledAt;
  if (end !== undefined && moment >= end.at) {
    const State = cancelled && cancelledAt < end.at ? 'cancelled' : 'closed';
    return { State, Status: status(end.at, finalCode(end.cause)) };
  }
  if (end?.cause.by === 'spot' && notice !== undefined && moment >= notice.at) {
    if (notice.finalAtOnce) return { State: 'closed', Status: status(notice.at, finalCode(end.cause)) };
    return { State: cancelled ? 'cancelled' : 'active', Status: status(notice.at, 'marked-for-termination') };
  }
  return cancelled
    ? { State: 'cancelled', Status: status(cancelledAt, 'request-canceled-and-instance-running') }
    : { State: 'active', Status: status(life.bornAt, 'fulfilled') };
}

function finalCode(cause: EndCause): string {
  if (cause.by === 'spot') return `instance-terminated-${cause.reason}`;
  return cause.by === 'failure' ? 'instance-terminated-launch-failure' : 'instance-terminated-by-user';
}

const MESSAGES: Readonly<Record<string, string>> = {
  fulfilled: 'Your Spot request is fulfilled.',
  'marked-for-termination': 'Your Spot Instance is marked for termination.',
  'request-canceled-and-instance-running':
    'Your Spot request is canceled, but your instance is still running.',
  'instance-terminated-by-user': 'Your Spot Instance was terminated due to user-initiated termination.',
  'instance-terminated-by-price':
    'Your Spot instance was terminated because the Spot price exceeded your maximum price.',
  'instance-terminated-no-capacity':
    'Your Spot instance was terminated because there is no Spot capacity available.',
  'instance-terminated-by-service': 'Your Spot instance was terminated due to a service-initiated action.',
  'instance-terminated-launch-failure': 'Your Spot instance was terminated because its launch failed.',
};

function status(at: number, code: string): RequestState['Status'] {
  return { Code: code, Message: MESSAGES[code] ?? code, UpdateTime: new Date(at) };
}
