import { HOUR, SECOND } from '../../clock.ts';
import type { LoadTable } from '../../config/config.ts';
import { duration } from '../../format/durations.ts';
import { html } from '../../format/html.ts';
import { dollars, price } from '../../format/money.ts';
import { counted, share } from '../../format/numbers.ts';
import type { Hour } from '../../history/book.ts';
import { sumOf } from '../../history/tally.ts';
import { pauseInWords, untilInWords } from '../../policy/pause.ts';
import { STYLE } from '../../simulate/page/style.ts';
import type { Report, ReportedEvent } from '../report.ts';
import { chart } from './chart.ts';
import { PAGE_STYLE } from './style.ts';
import { tiles } from './tiles.ts';

/** What a browser loads the page again after, seconds. */
const RENEWED = 30;
const DAYS = 7;

/** The state of a balancer as a page for a browser: one file that loads nothing, runs no script and renews itself. */
export function statusPage(report: Report, loadTable: LoadTable, hours: readonly Hour[]): string {
  const { balancer, time, decisions } = report;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${RENEWED}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html(balancer.master)}: render farm</title>
<style>${STYLE}${PAGE_STYLE}</style>
</head>
<body>
<h1>Render farm of ${html(balancer.master)}</h1>
<p class="faint">${html(clock(time))} UTC; gbrowse-aws-balancer ${html(balancer.version)}, ${html(balancer.phase)} for ${duration(balancer.uptimeSeconds * SECOND)}. The page renews itself every ${RENEWED} s; one that is older than ${duration(5 * balancer.pollIntervalSeconds * SECOND + 60 * SECOND)} says that the balancer has stopped.</p>
${troubles(report)}
${tiles(report)}
<div class="charts">
${lastHour(report, loadTable)}
${lastDays(report, loadTable, hours)}
</div>
${slaves(report)}
<h2>What it does, and why</h2>
<ul class="said">${decisions.toReversed().map(event).join('\n')}</ul>
</body>
</html>
`;
}

function troubles({ pause, load, launches, money, notify, retries, problems, time }: Report): string {
  const now = Date.parse(time);
  const texts = [
    ...(pause === null
      ? []
      : [
          `Paused ${untilInWords(pause.until === null ? {} : { until: Date.parse(pause.until) }, now)}: ${pauseInWords({ release: pause.releasesSlaves })}.`,
        ]),
    ...(load.error === null ? [] : [`The load is not known: ${load.error}`]),
    ...(load.overloadedSince === null
      ? []
      : [`Apache is overloaded since ${clock(load.overloadedSince)}: ${load.overload ?? ''}`]),
    ...(launches.heldUntil === null
      ? []
      : [`Nothing is launched before ${clock(launches.heldUntil)}: ${launches.reason ?? ''}`]),
    ...(money.month?.isUsedUp === true
      ? [`The budget of ${money.month.month} is used up: nothing is launched, and GBrowse draws locally.`]
      : []),
    ...(notify?.last?.isFailed === true ? ['[MASTER] notify failed, so nobody was told of a trouble.'] : []),
    ...retries.map(({ what, failuresInARow }) => `${what} (${counted(failuresInARow, 'failure')} in a row)`),
  ];
  const recent = problems.filter(it => now - Date.parse(it.time) < HOUR);
  if (texts.length + recent.length === 0) return '<p class="well">No trouble in the last hour.</p>';
  const items = texts.map(it => `<li>${html(it)}</li>`);
  return `<ul class="trouble">${items.join('\n')}${recent.toReversed().map(event).join('\n')}</ul>`;
}

function levelsOf(loadTable: LoadTable) {
  return loadTable.map(({ requestsPerSecond, min, max }) => ({
    at: requestsPerSecond,
    text: `${min}–${max}`,
  }));
}

function lastHour({ history, time }: Report, loadTable: LoadTable): string {
  const { points } = history;
  const ends = { from: clock(points[0]?.time ?? time), until: clock(time) };
  const load = points.map(it => it.peakRequestsPerSecond);
  return `${chart({ title: 'Load in the last hour, requests/s, with the rows of the load table', lines: [{ name: 'load', colour: 'load', values: load }], levels: levelsOf(loadTable), ...ends })}
${chart({
  title: 'Slaves in the last hour',
  lines: [
    { name: 'max', colour: 'band-line', values: points.map(it => it.maxSlaves) },
    { name: 'min', colour: 'wanted', values: points.map(it => it.minSlaves) },
    { name: 'serving', colour: 'balancer', values: points.map(it => it.servingSlaves) },
  ],
  ...ends,
})}`;
}

function lastDays({ time }: Report, loadTable: LoadTable, hours: readonly Hour[]): string {
  const until = Math.floor(Date.parse(time) / HOUR) * HOUR;
  const from = until - (DAYS * 24 - 1) * HOUR;
  const found = new Map(hours.map(({ tally }) => [tally.start, tally]));
  const week = Array.from({ length: DAYS * 24 }, (_, hour) => found.get(from + hour * HOUR));
  const known = week.filter(it => it !== undefined);
  if (known.length < 2) return '';
  const total = sumOf(known, from);
  const ends = { from: new Date(from).toISOString().slice(5, 10), until: 'now' };
  let spent = 0;
  return `${chart({ title: `Load in the last ${DAYS} days, highest of each hour`, lines: [{ name: 'load', colour: 'load', values: week.map(it => (it === undefined || it.known === 0 ? null : it.peak)) }], levels: levelsOf(loadTable), ...ends })}
${chart({ title: `Slaves in the last ${DAYS} days, mean of each hour`, lines: [{ name: 'slaves', colour: 'balancer', values: week.map(it => (it === undefined || it.watched === 0 ? null : it.existed / it.watched)) }], ...ends })}
${chart({
  title: `Dollars in the last ${DAYS} days: ${dollars(total.dollars)}; ${share(total.tooFew, total.requests)} of the requests met too few slaves`,
  lines: [
    {
      name: 'spent',
      colour: 'auto',
      values: week.map(it => {
        spent += it?.dollars ?? 0;
        return spent;
      }),
    },
  ],
  ...ends,
})}`;
}

function slaves({ slaves: all }: Report): string {
  if (all.length === 0) return '<p>No slave: GBrowse draws locally.</p>';
  const rows = all.map(
    it =>
      `<tr><th scope="row">${html(it.instanceId)}</th><td>${html(it.state)}${it.reason === null ? '' : `<br><span class="faint">${html(it.reason)}</span>`}</td><td>${duration(it.ageSeconds * SECOND)}</td><td>${html(it.instanceType)}${it.onDemand ? ' on demand' : ''}</td><td>${html(it.availabilityZone)}</td><td>${it.priceIsKnown ? '' : '&lt;'}${price(it.pricePerHour)}</td></tr>`,
  );
  return `<h2>Slaves</h2>
<div class="table"><table class="farms"><thead><tr><th scope="col"></th><th scope="col">state</th><th scope="col">age</th><th scope="col">type</th><th scope="col">zone</th><th scope="col">$/hour</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

function event({ time, level, message }: ReportedEvent): string {
  const mark = level === 'error' ? 'error: ' : level === 'warn' ? 'warning: ' : '';
  return `<li class="${level === 'error' || level === 'warn' ? level : 'info'}"><time>${html(clock(time))}</time> ${html(mark + message)}</li>`;
}

/** `11-25 23:10:05`, UTC. */
function clock(time: string): string {
  return time.slice(5, 19).replace('T', ' ');
}
