import { isOutOfService } from '../balancer/members.ts';
import type { State, StateView } from '../balancer/state.ts';
import { isLoadKnown, wantedRange } from '../balancer/wanted.ts';
import type { Slave } from '../spot/slave.ts';
import type { Level } from './history.ts';
import type { Rate } from './money.ts';

/** Load and farm, from the balancer's state. */
export function levelOf(state: StateView): Level {
  const members = [...state.members.values()];
  const range = wantedRange(state);
  return {
    requestsPerSecond: isLoadCurrent(state) ? state.load.rate : undefined,
    serving:
      state.pause === undefined
        ? members.filter(it => it.readySince !== undefined && it.leaving === undefined && !isOutOfService(it))
            .length
        : 0,
    slaves: members.length,
    onDemand: members.filter(it => it.slave.onDemand === true).length,
    min: range?.min,
    max: range?.max,
  };
}

/** Whether the last load that was measured is the load of now. */
export function isLoadCurrent(state: StateView): boolean {
  return isLoadKnown(state);
}

/** What a slave costs an hour, in dollars: the spot price, or the bid as the most that it can be. */
export function priceOf(
  slave: Slave,
  bid: number,
  slavePrice: (slave: Slave) => number | undefined,
): { readonly dollars: number; readonly isKnown: boolean } {
  const dollars = slavePrice(slave);
  return dollars === undefined ? { dollars: bid, isKnown: false } : { dollars, isKnown: true };
}

/** What all slaves cost now. EC2 bills an instance from the moment that it runs. */
export function rateOf(state: Readonly<State>, slavePrice: (slave: Slave) => number | undefined): Rate {
  let rate: Rate = { perHour: 0, atMost: false };
  for (const { slave, readySince } of state.members.values()) {
    // A slave that answers is running, whatever EC2 showed last.
    if (slave.state === 'pending' && readySince === undefined) continue;
    const { dollars, isKnown } = priceOf(slave, state.config.slave.spotBid, slavePrice);
    rate = { perHour: rate.perHour + dollars, atMost: rate.atMost || !isKnown };
  }
  return rate;
}
