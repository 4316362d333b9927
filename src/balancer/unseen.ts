import { charge, type Ledger } from '../budget/ledger.ts';
import { DAY, MINUTE } from '../clock.ts';
import type { Slave } from '../spot/slave.ts';
import type { State, StateView } from './state.ts';
import { keyOf, volumesOf } from './volumes.ts';

/** Our clock is behind EC2's where it shows a launch so far in our future. */
const CLOCKS_DIFFER = 10 * MINUTE;

/**
 * How long (ms) a slave may have run unseen: since `since` or its launch. Where our clock is behind EC2's, the launch
 * says nothing, and a day is the most.
 *
 * @param wall when EC2 was asked; all three are wall clock ms
 */
export function timeUnseen({ launchedAt }: Pick<Slave, 'launchedAt'>, since: number, wall: number): number {
  const isBehind = launchedAt > wall + CLOCKS_DIFFER;
  return Math.max(0, wall - Math.max(isBehind ? wall - DAY : launchedAt, since));
}

/**
 * The ledger with the slaves that run, for the next start: what of them EC2 does not show then has ended meanwhile.
 *
 * @param prices by instance id, US dollars an hour, where they are known
 */
export function withRunning(ledger: Ledger, state: StateView, prices: ReadonlyMap<string, number>): Ledger {
  // Before EC2 has answered, the predecessor's are the best that is known.
  if (state.describedAt === undefined) return ledger;
  const { spotBid } = state.config.slave;
  const before = ledger.running ?? {};
  const running = Object.fromEntries(
    [...state.members.values()].flatMap(({ slave, leaving }) => {
      if (leaving?.terminateAskedAt !== undefined) return [];
      const { instanceId } = slave;
      const price =
        Math.max(prices.get(instanceId) ?? spotBid, spotBid) + (volumesOf(ledger, keyOf(slave)) ?? 0);
      return [[instanceId, Math.max(price, before[instanceId] ?? 0)] as const];
    }),
  );
  const isSame =
    Object.keys(before).length === Object.keys(running).length &&
    Object.entries(running).every(([id, price]) => before[id] === price);
  return isSame ? ledger : { ...ledger, running };
}

/**
 * Counts the slaves that ran when this was last written, and that EC2 does not show any more, because they ended more
 * than an hour ago: without a balancer, after `orphan_timeout` at the latest.
 *
 * @param wall when EC2 was asked, wall clock ms
 */
export function chargeUnseen(state: State, shown: ReadonlySet<string>, wall: number): void {
  const { spending, config } = state;
  if (spending === undefined) return;
  const ms = Math.min(wall - spending.since, config.slave.orphanTimeout);
  const ledger = Object.entries(spending.ledger.running ?? {})
    .filter(([id]) => !shown.has(id))
    .reduce(
      (sum, [, price]) => charge(sum, spending.since + ms, ms, { perHour: price, atMost: price }),
      spending.ledger,
    );
  state.spending = { ...spending, ledger };
}
