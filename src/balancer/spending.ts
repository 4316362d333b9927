import {
  type Account,
  accountOf,
  charge,
  elapsedBy,
  type Ledger,
  NOTHING_SPENT,
  settle,
  startOfMonth,
} from '../budget/ledger.ts';
import type { StateRead } from '../os/state-file.ts';
import { stateTrouble } from '../os/state-file.ts';
import { onDemandPrice, regionOf } from '../spot/list-prices.ts';
import { isLive, type Slave } from '../spot/slave.ts';
import { inFlightIn, onDemandInFlight } from './members.ts';
import { type State, type StateView, say, sayOnce } from './state.ts';
import { timeUnseen, withRunning } from './unseen.ts';
import { keyOf, volumesKey, volumesOf } from './volumes.ts';

/** What slaves cost, as EC2 said it last. */
export type SlavePrices = {
  /** US dollars an hour; undefined while it is not known. */
  of(slave: Slave): number | undefined;
  /** The highest since the answer before the last. */
  peak(slave: Slave): number | undefined;
  /** How often EC2 has said prices. */
  answers(): number;
};

/** What the state file said at the start. */
export type SpentBefore = { readonly file: string; readonly read: StateRead<Ledger> };

type Moment = { readonly now: number; readonly wall: number };

/** Begins with what was spent before; where that is not known, with what EC2 still shows of this month. */
export function recordSpentBefore(state: State, { file, read }: SpentBefore, moment: Moment): void {
  const isKnown = read.kind === 'value';
  state.spending = {
    file,
    ledger: isKnown ? read.value : NOTHING_SPENT,
    counted: { ...moment, rate: { perHour: 0, atMost: 0 }, withoutVolumes: 0 },
    withoutVolumes: 0,
    since: isKnown ? Math.min(read.writtenAt, moment.wall) : startOfMonth(moment.wall),
    prices: new Map(),
    answers: 0,
    staging: new Map(),
  };
  if (isKnown || state.config.slave.budget === undefined) return;
  const why =
    read.kind === 'missing' ? `there is no ${file} yet` : `${file} cannot be used, because ${read.why}`;
  const level = read.kind === 'missing' ? 'info' : 'warn';
  say(
    state,
    level,
    `the expenses of this month are counted from the slaves that EC2 still shows, each at the bid since its launch: ${why}`,
  );
}

/** Counts what was spent up to now at the rate that held; from now on another one may. */
export function recordSpending(state: State, moment: Moment, prices: SlavePrices | undefined): void {
  const { spending } = state;
  if (spending === undefined) return;
  const { counted } = spending;
  const elapsed = elapsedBy(moment.now - counted.now, moment.wall - counted.wall);
  let ledger = charge(spending.ledger, moment.wall, elapsed, counted.rate);
  const answers = prices?.answers() ?? 0;
  if (answers !== spending.answers) {
    const rose = [...state.members.values()].some(
      ({ slave }) => (prices?.peak(slave) ?? 0) > (spending.prices.get(slave.instanceId) ?? 0),
    );
    ledger = settle(ledger, rose ? 'at most' : 'as counted');
  }
  const bid = state.config.slave.spotBid;
  const known = new Map<string, number>();
  const staging = [...spending.staging.values()].reduce((sum, price) => sum + price, 0);
  const bought = onDemandInFlight(state);
  const boughtPrice = bought.reduce((sum, price) => sum + price, 0);
  const inFlight = inFlightIn(state);
  const ofNew = volumesOf(ledger, volumesKey(state.plan?.imageId ?? '', state.config));
  const volumes = [
    ...Array<number | undefined>(inFlight).fill(ofNew),
    ...Array.from(state.members.values(), ({ slave }) => volumesOf(ledger, keyOf(slave))),
  ];
  const volumePrice = volumes.reduce<number>((sum, it) => sum + (it ?? 0), 0);
  let perHour = staging + (inFlight - bought.length) * bid + boughtPrice + volumePrice;
  let atMost = perHour;
  for (const { slave } of state.members.values()) {
    const price = slave.onDemand === true ? fullPrice(slave, bid) : prices?.of(slave);
    if (price !== undefined) known.set(slave.instanceId, price);
    perHour += price ?? bid;
    atMost += slave.onDemand === true ? (price ?? bid) : Math.max(price ?? bid, bid);
  }
  state.spending = {
    ...spending,
    ledger: withRunning(ledger, state, known),
    counted: {
      ...moment,
      rate: { perHour, atMost },
      withoutVolumes: volumes.filter(it => it === undefined).length,
    },
    withoutVolumes: spending.withoutVolumes + elapsed * counted.withoutVolumes,
    prices: known,
    answers,
  };
}

/** Counts what a slave has cost that this process did not know of: at the bid, since its launch or the last count. */
export function chargeFound(state: State, slave: Slave, wall: number): void {
  const { spending } = state;
  if (spending === undefined) return;
  const ms = timeUnseen(slave, spending.since, wall);
  const bid = state.config.slave.spotBid;
  const volumes = volumesOf(spending.ledger, keyOf(slave));
  const price = (slave.onDemand === true ? fullPrice(slave, bid) : bid) + (volumes ?? 0);
  const ledger = charge(spending.ledger, wall, ms, { perHour: price, atMost: price });
  const withoutVolumes = spending.withoutVolumes + (volumes === undefined ? ms : 0);
  state.spending = { ...spending, ledger, withoutVolumes };
}

/** What an instance on demand costs at the most, dollars an hour. Of a type without a list price: twice the bid. */
function fullPrice({ instanceType, availabilityZone }: Slave, bid: number): number {
  return onDemandPrice(instanceType, regionOf(availabilityZone)) ?? 2 * bid;
}

/**
 * Counts the staging instances of `sync` and `image`, which run on demand. This is the place where a staging cost comes
 * into the budget: whatever carries the tags of a run is counted while it runs.
 *
 * @param wall when EC2 was asked, wall clock ms
 */
export function recordStaging(state: State, shown: readonly Slave[], wall: number): void {
  const { spending } = state;
  if (spending === undefined) return;
  let { ledger } = spending;
  const staging = new Map<string, number>();
  for (const slave of shown) {
    const price = fullPrice(slave, state.config.slave.spotBid);
    staging.set(slave.instanceId, isLive(slave) ? price : 0);
    if (spending.staging.has(slave.instanceId)) continue;
    const ms = wall - Math.max(slave.launchedAt, spending.since);
    ledger = charge(ledger, wall, ms, { perHour: price, atMost: price });
  }
  state.spending = { ...spending, ledger, staging };
}

/** How the budget stands; undefined where nobody keeps what was spent. */
export function accountIn({ spending, config }: StateView): Account | undefined {
  return spending && accountOf(spending.ledger, spending.counted.wall, config.slave.budget);
}

export function recordSaved(state: State, ledger: Ledger, now: number): void {
  if (state.spending !== undefined) state.spending = { ...state.spending, saved: { ledger, at: now } };
}

export function recordUnsaved(state: State, error: unknown): void {
  const level = state.config.slave.budget === undefined ? 'debug' : 'warn';
  const file = state.spending?.file ?? '';
  sayOnce(
    state,
    'save-spending',
    level,
    `the expenses cannot be written to ${file}, so after a restart they are counted from what EC2 shows: ${stateTrouble(file, error)}`,
  );
}
