import { SECOND } from '../clock.ts';
import type { LoadTable } from '../config/config.ts';
import { duration } from '../format/durations.ts';
import { dollars } from '../format/money.ts';
import { grouped, requestRate, share } from '../format/numbers.ts';
import type { Delay } from './random.ts';
import type { Policy, Simulation } from './simulate.ts';
import type { Suggestion } from './suggest.ts';
import type { Trace } from './trace.ts';

/** A moment of a trace: `2015-05-17 10:05`, or `day 3, 14:00` where it has no dates. */
export function moment({ startedAt, zone }: Pick<Trace, 'startedAt' | 'zone'>, ms: number): string {
  const shown = new Date((startedAt ?? 0) + zone * 60_000 + ms).toISOString();
  const [date = '', time = ''] = shown.split('T');
  if (startedAt !== undefined) return `${date} ${time.slice(0, 5)}`;
  return `day ${Math.floor(ms / 86_400_000) + 1}, ${time.slice(0, 5)}`;
}

/** `+0200`. */
export function zoneName(minutes: number): string {
  const two = (count: number) => String(Math.floor(count)).padStart(2, '0');
  return minutes === 0
    ? 'UTC'
    : `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}${two(Math.abs(minutes) % 60)}`;
}

export function bootWords(bootTime: Delay): string {
  return typeof bootTime === 'number'
    ? duration(bootTime)
    : `${duration(bootTime[0])} to ${duration(bootTime[1])}`;
}

/** A load table as the configuration file has it, without a final line end. */
export function tableText(table: LoadTable): string {
  const rows = table.map(
    ({ requestsPerSecond, min, max }) =>
      `${String(requestsPerSecond).padEnd(8)}${String(min).padEnd(4)}${max}`,
  );
  return ['[LOAD TABLE]', '#req/s  min max', ...rows].join('\n');
}

/** What was replayed, in two or three sentences. */
export function aboutLoad({ trace, requests, days, busiest }: Simulation): string {
  const when =
    trace.startedAt === undefined
      ? ''
      : ` from ${moment(trace, 0)} to ${moment(trace, trace.seconds * SECOND)} (${zoneName(trace.zone)})`;
  const each = requests / trace.seconds;
  return `${trace.name}: ${duration(days * 86_400 * SECOND)}${when}, ${grouped(requests)} requests, ${requestRate(each)}/s on average, ${requestRate(busiest)}/s in the busiest minute`;
}

/** The Apache that was modelled. */
export function queueWords({ workers, serviceTime, overloaded }: NonNullable<Simulation['queue']>): string {
  return `Apache has ${workers} workers, and each request holds one for ${requestRate(serviceTime)} s: for ${duration(overloaded * SECOND)} none is idle. Slaves make no request shorter in this model.`;
}

/** Which `release_after` fits this load, and why. */
export function releaseWords({ policies, requests, days }: Simulation): string {
  const [own, other] = [
    policies.find(it => it.id === 'balancer'),
    policies.find(it => it.id === 'auto' || it.id === 'never'),
  ];
  if (own === undefined || other === undefined) return '';
  const [auto, never] = other.id === 'auto' ? [other, own] : [own, other];
  const name = other.id === 'auto' ? 'the present release_after' : 'release_after = never';
  const figures = ({ outcome }: Policy) =>
    `${dollars(outcome.cost / days)} a day with ${share(outcome.tooFew, requests)} of the requests meeting too few slaves`;
  const compared = `auto costs ${figures(auto)}, ${name} ${figures(never)}`;
  const isCheaper = auto.outcome.cost < 0.99 * never.outcome.cost;
  const isDearer = auto.outcome.cost > 1.01 * never.outcome.cost;
  const servesWorse = auto.outcome.tooFew > 1.1 * never.outcome.tooFew + requests / 10_000;
  const servesBetter = never.outcome.tooFew > 1.1 * auto.outcome.tooFew + requests / 10_000;
  if (isCheaper && !servesWorse)
    return `release_after = auto fits: it costs less and serves as well (${compared}).`;
  if (isCheaper) return `release_after = auto costs less and serves fewer requests in time (${compared}).`;
  if (servesBetter)
    return `release_after = auto serves more requests in time, and costs ${isDearer ? 'more' : 'the same'} (${compared}).`;
  return `release_after = auto saves nothing at this load (${compared}).`;
}

/** How sure a suggestion is, and why, for people. */
export function surenessWords({ sureness, kept, unseen }: Suggestion, requestsADay: number): string {
  if (unseen === undefined) {
    return 'Not sure: the load covers a day or less, so the table is tested with the same load that it was made from. Give a week or more.';
  }
  const { days, suggested, cheaperDays, uncertainty } = unseen;
  const few = days < 7 ? ` ${days} days are not many; give two weeks or more.` : '';
  if (kept) {
    return `None of the tables that were tried serves as well for less.${few}`;
  }
  const saved = unseen.present.cost - suggested.cost;
  const held = `On days that were not used to make it, it costs ${dollars(suggested.cost)} a day instead of ${dollars(unseen.present.cost)} (saves ${saved < 0 ? '-' : ''}${dollars(Math.abs(saved))}, give or take ${dollars(uncertainty)}; cheaper on ${cheaperDays} of ${days} days), and ${share(suggested.tooFew, requestsADay)} of the requests meet too few slaves instead of ${share(unseen.present.tooFew, requestsADay)}.`;
  const word = sureness === 'sure' ? 'Sure' : sureness === 'fairly sure' ? 'Fairly sure' : 'Not sure';
  return `${word}. ${held}${few}`;
}

/** A month of 365.25 / 12 days. */
const MONTH_DAYS = 30.44;

/** What a month costs at the rate of the last seven days of the load (or of all, when there are fewer), US dollars. */
export function monthForecast({ policies, days }: Pick<Simulation, 'policies' | 'days'>): number {
  const own = policies.find(it => it.id === 'balancer');
  const all = own?.outcome.days ?? [];
  // The last day may be a part of one.
  const span = days <= 7 ? days : 6 + (days - (all.length - 1));
  const cost = all.slice(-7).reduce((sum, day) => sum + day.cost, 0);
  return span === 0 ? 0 : (cost / span) * MONTH_DAYS;
}

/** What a month costs at this load, and what the budget says to it. */
export function budgetWords(simulation: Simulation): string {
  const { budget } = simulation.own.settings.slave;
  const forecast = monthForecast(simulation);
  const base = simulation.days <= 7 ? 'this load' : 'the last seven days of this load';
  const text = `A month like ${base} costs ${dollars(forecast)} with this balancer, without the volumes of slaves`;
  if (budget === undefined) return `${text}; [SLAVE] budget sets a limit.`;
  const part = `${Math.round((100 * forecast) / budget)} % of [SLAVE] budget, ${dollars(budget)}`;
  if (forecast <= budget) return `${text}: ${part}.`;
  const lasts = Math.floor((budget / forecast) * MONTH_DAYS);
  return `${text}: ${part}. The budget lasts for ${lasts} days of the month; from then on GBrowse draws locally. (The figures above are without a budget.)`;
}
