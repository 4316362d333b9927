import { MINUTE } from '../clock.ts';
import { duration } from '../format/durations.ts';
import { afterFailedBoot, FAILED_BOOTS_TOLERATED } from '../policy/backoff.ts';
import { portsOf } from './members.ts';
import { type Member, resolved, type State, type StateView, sayOnce } from './state.ts';

/** Why a slave did not become ready. */
export type BootTrouble =
  | 'no address'
  | 'refused'
  | 'silent'
  | 'dark'
  | 'stopped answering'
  | 'ended'
  | 'unknown';

const TOPIC = 'failed boots';

const HINTS: Record<BootTrouble, string> = {
  'no address':
    'check that the subnet assigns public addresses, which a master outside the VPC needs; see "gbrowse-aws-balancer check"',
  refused:
    'the image does not start its GBrowse slave on that port: see "gbrowse-aws-balancer logs" while it boots',
  silent: 'the GBrowse slave hangs: see "gbrowse-aws-balancer logs" while it boots',
  dark: 'the slave\'s security group or network does not let this master in: see [MASTER] external_ip, [SLAVE] security_group and "gbrowse-aws-balancer check"',
  'stopped answering':
    'the GBrowse slave ends soon after its start: see "gbrowse-aws-balancer logs" while it boots',
  ended: 'fix the cause that EC2 names; see "gbrowse-aws-balancer check"',
  unknown: 'see "gbrowse-aws-balancer check"',
};

/** What keeps a slave that boots from being ready: the kind, and in words. */
export function bootTroubleOf(
  state: StateView,
  member: Member,
): { readonly kind: BootTrouble; readonly why: string } {
  const { slave, bootAnswer } = member;
  const ports = portsOf(state, slave);
  const port = `port ${ports.join(' or ')}`;
  if (slave.address === undefined) return { kind: 'no address', why: 'EC2 gave it no address' };
  switch (bootAnswer) {
    case 'refused':
      return { kind: 'refused', why: `it refused connections to ${port}` };
    case 'silent':
      return { kind: 'silent', why: `it accepted connections to ${port} and did not answer` };
    case 'dark':
      return { kind: 'dark', why: `there was no answer from ${port} of ${slave.address}` };
    default:
      return { kind: 'unknown', why: 'it could not be asked' };
  }
}

/**
 * Counts a slave that did not become ready, or ended soon after. When there were so many in a row that launches wait, one
 * warning says why, for how long, and what to do; it is repeated only for another cause.
 *
 * @param now monotonic ms
 */
export function recordFailedBoot(state: State, kind: BootTrouble, reason: string, now: number): void {
  state.backoff = afterFailedBoot(state.backoff, reason, now);
  const { failedBoots, notBefore } = state.backoff;
  if (failedBoots < FAILED_BOOTS_TOLERATED) return;
  const wait = duration(Math.max(MINUTE, notBefore - now));
  sayOnce(
    state,
    TOPIC,
    'warn',
    `${failedBoots} slaves in a row did not become ready, so the next one is launched in ${wait}, and then one at a time at growing intervals (SIGHUP tries at once); the last: ${reason}; ${HINTS[kind]}`,
    kind,
  );
}

/** A slave serves: launches go on. */
export function recordGoodBoot(state: State): void {
  resolved(state, TOPIC, 'a slave has become ready: launches go on');
}
