import type { SlavePrices } from '../balancer/spending.ts';
import type { State } from '../balancer/state.ts';
import { type Clock, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isEc2Error } from '../ec2/errors.ts';
import { messageOf } from '../errors.ts';
import type { SlaveFigures } from '../farm/slave-figures.ts';
import { hoursOf } from '../history/book.ts';
import type { Historian } from '../history/historian.ts';
import type { Level, Log } from '../log/log.ts';
import type { Notified } from '../notify/notifier.ts';
import { onDemandPrice, regionOf } from '../spot/list-prices.ts';
import type { Slave } from '../spot/slave.ts';
import { type Calls, countCall, NO_CALLS } from './calls.ts';
import { type Events, NO_EVENTS, remember } from './events.ts';
import { advance, type History, NO_HISTORY } from './history.ts';
import { levelOf, rateOf } from './levels.ts';
import type { Heard, Identity } from './make-report.ts';
import type { MetricsFile } from './metrics-file.ts';
import { type Moment, type Money, noMoney, spend } from './money.ts';
import { createPrices, type Prices } from './prices.ts';
import type { Report } from './report.ts';

/** What the balancer's process records for `status` and for the metrics, in bounded memory. */
type StatusRecord = {
  /** Sets who reports, and where metrics and history go. Before that there is no report. */
  introduce(
    identity: Omit<Identity, 'startedAt'>,
    metrics: MetricsFile | undefined,
    history?: Historian,
    page?: MetricsFile,
    notified?: () => Notified,
  ): void;
  /** A log whose messages are recorded as well. */
  hear<L extends Log>(log: L): L;
  /** EC2, with its calls counted. */
  count(ec2: Ec2): Ec2;
  /** What a slave at this address has just said of itself. */
  hearSlave(address: string, figures: SlaveFigures): void;
  /** What slaves cost, as EC2 says it. */
  readonly prices: SlavePrices;
  /** The balancer has decided; its state holds until the next time. */
  observe(state: Readonly<State>, now: number): void;
  /** The report as it stands now; undefined before the balancer has decided anything. */
  report(): Promise<Report | undefined>;
  /** Stops writing metrics, and removes their file. */
  end(): Promise<void>;
};

type RecordSettings = {
  readonly clock: Clock;
  /** Takes the secrets out of a message. */
  redact(text: string): string;
};

/** The metrics are written in each round, and when something happens, but not more often. */
const METRICS_INTERVAL = 15 * SECOND;

export function createRecord({ clock, redact }: RecordSettings): StatusRecord {
  const startedAt = clock.wall();
  let history: History = NO_HISTORY;
  let money: Money = noMoney(moment());
  let calls: Calls = NO_CALLS;
  let events: Events = NO_EVENTS;
  let identity: Identity | undefined;
  let metrics: MetricsFile | undefined;
  let page: MetricsFile | undefined;
  let notified: (() => Notified) | undefined;
  let historian: Historian | undefined;
  let prices: Prices | undefined;
  let isPriceAwaited = false;
  let observed: Readonly<State> | undefined;
  let metricsAt = Number.NEGATIVE_INFINITY;
  const heard = new Map<string, Heard>();

  function moment(): Moment {
    return { monotonic: clock.monotonic(), wall: clock.wall() };
  }

  const slavePrice = ({ onDemand, ...place }: Slave) =>
    onDemand === true
      ? onDemandPrice(place.instanceType, regionOf(place.availabilityZone))
      : prices?.of(place);

  function bringUpToDate(state: Readonly<State>, now: Moment): void {
    history = advance(history, now.monotonic, levelOf(state));
    // The seconds before the answer are counted with the prices of the answer.
    if (prices?.isAsking() === true) return;
    const rate = rateOf(state, slavePrice);
    money = spend(isPriceAwaited ? { ...money, rate } : money, now, rate);
    isPriceAwaited = false;
  }

  async function report(): Promise<Report | undefined> {
    // Only when somebody asks.
    const { makeReport } = await import('./make-report.ts');
    if (observed === undefined || identity === undefined) return undefined;
    const now = moment();
    bringUpToDate(observed, now);
    return makeReport({
      identity,
      state: observed,
      history,
      money,
      calls,
      events,
      slavePrice,
      heard,
      notified: notified?.(),
      now,
    });
  }

  async function metricsNow(): Promise<string> {
    const { metricsText } = await import('./metrics.ts');
    const made = await report();
    return made === undefined ? '' : metricsText(made);
  }

  async function pageNow(): Promise<string> {
    const { statusPage } = await import('./page/page.ts');
    const made = await report();
    if (made === undefined || observed === undefined) return '';
    return statusPage(
      made,
      observed.config.loadTable,
      historian === undefined ? [] : hoursOf(historian.book()),
    );
  }

  return {
    introduce(who, file, kept, shown, told) {
      identity = { ...who, startedAt };
      metrics = file;
      historian = kept;
      page = shown;
      notified = told;
    },
    hear(log) {
      const remembered = (level: Level) => (message: string, fields?: Parameters<Log[Level]>[1]) => {
        events = remember(events, level, redact(message), clock.wall());
        historian?.hear(level, redact(message));
        log[level](message, fields);
      };
      return {
        ...log,
        error: remembered('error'),
        warn: remembered('warn'),
        info: remembered('info'),
        debug: remembered('debug'),
      };
    },
    count(ec2) {
      const counted: Ec2 = async (action, request, options) => {
        try {
          const answer = await ec2(action, request, options);
          calls = countCall(calls, action, clock.wall());
          return answer;
        } catch (error) {
          const code = isEc2Error(error) ? error.code : 'unknown';
          calls = countCall(calls, action, clock.wall(), { code, message: redact(messageOf(error)) });
          throw error;
        }
      };
      prices = createPrices(counted);
      return counted;
    },
    hearSlave(address, figures) {
      heard.set(address, { figures, at: clock.monotonic() });
    },
    prices: {
      of: slavePrice,
      peak: slave => prices?.peak(slave),
      answers: () => prices?.answers() ?? 0,
    },
    observe(state, monotonic) {
      observed = state;
      forgetOthers(heard, state);
      const now = { monotonic, wall: clock.wall() };
      const slaves = [...state.members.values()].map(it => it.slave);
      if (state.stop === undefined) prices?.follow(slaves, now);
      if (prices?.isAsking() === true) isPriceAwaited = true;
      bringUpToDate(state, now);
      historian?.observe(state, monotonic, money.rate);
      if (metrics === undefined && page === undefined) return;
      if (monotonic - metricsAt < Math.min(METRICS_INTERVAL, state.config.master.pollInterval)) return;
      metricsAt = monotonic;
      void metrics?.write(metricsNow);
      void page?.write(pageNow);
    },
    report,
    async end() {
      const files = [metrics, page];
      [metrics, page] = [undefined, undefined];
      for (const file of files) await file?.remove();
      await historian?.close();
    },
  };
}

/** Addresses are used again: what is remembered is only of slaves that there are. */
function forgetOthers(heard: Map<string, Heard>, { members }: Readonly<State>): void {
  const addresses = new Set([...members.values()].map(it => it.slave.address));
  for (const address of heard.keys()) if (!addresses.has(address)) heard.delete(address);
}
