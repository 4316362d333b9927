import { DAY, HOUR, SECOND } from '../clock.ts';
import { sparkline, squeezed } from '../format/charts.ts';
import { duration } from '../format/durations.ts';
import { harmless } from '../format/harmless.ts';
import { dollars } from '../format/money.ts';
import { counted, grouped, requestRate, share } from '../format/numbers.ts';
import { alignedRows } from '../format/tables.ts';
import { minuteOf } from '../format/times.ts';
import { wrapped } from '../format/wrap.ts';
import { type Look, paint } from '../terminal/look.ts';
import type { Hour, Said } from './book.ts';
import type { Simulated } from './compare.ts';
import { daysOf, type Span } from './days.ts';
import { sumOf, type Tally } from './tally.ts';

const HEAD = ['DAY (UTC)', 'COST', 'SLAVE-HOURS', 'LAUNCHES', 'INTERRUPTIONS', 'REQUESTS', 'TOO FEW SLAVES'];

/** The cost and the service of each day, for people. */
export function printedDays(
  hours: readonly Hour[],
  about: { readonly title: string; readonly simulated: Simulated | undefined },
  look: Look,
): readonly string[] {
  const days = daysOf(hours);
  const total = sumOf(days, 0);
  const rows = [
    HEAD,
    ...days.map(day => rowOf(dayOf(day.start), day)),
    rowOf('total', total),
    ...(about.simulated === undefined ? [] : [simulatedRow(about.simulated)]),
  ];
  const lines = alignedRows(rows, { right: column => column > 0 });
  return [
    paint(look, 'bold', harmless(about.title)),
    '',
    ...lines.map((line, at) =>
      paint(look, at === 0 ? 'dim' : at === days.length + 1 ? 'bold' : undefined, line),
    ),
    '',
    ...notes(days, total, about.simulated).flatMap(note => wrapped(note, Math.max(40, look.width))),
  ];
}

function notes(days: readonly Tally[], total: Tally, simulation: Simulated | undefined): readonly string[] {
  const missing = days.length * DAY - total.watched;
  return [
    'Costs are those of instances, without disks and traffic.',
    ...(total.atMost > 0
      ? ['"<" before a cost: at most; where AWS gave no spot price, the bid is counted.']
      : []),
    ...(total.bought > 0
      ? [`${grouped(total.bought / HOUR, 1)} of the slave-hours were bought on demand, at the full price.`]
      : []),
    ...(missing > HOUR ? [`The balancer ran for ${duration(total.watched)} of these days.`] : []),
    ...(simulation === undefined
      ? []
      : [
          '"simulated" is the result of "gbrowse-aws-balancer simulate" for the same load, with the current configuration.',
        ]),
  ];
}

function rowOf(title: string, tally: Tally): readonly string[] {
  return [
    title,
    `${tally.atMost > 0 ? '<' : ''}${dollars(tally.dollars)}`,
    grouped(tally.existed / HOUR, 1),
    grouped(tally.launches),
    grouped(tally.interruptions),
    grouped(tally.requests),
    share(tally.tooFew, tally.requests),
  ];
}

function simulatedRow(it: Simulated): readonly string[] {
  return [
    'simulated',
    dollars(it.dollars),
    grouped(it.slaveHours, 1),
    grouped(it.launches),
    '',
    grouped(it.requests),
    share(it.requestsWithTooFewSlaves, it.requests),
  ];
}

export function dayOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}

const INDENT = 10;
const MOST_SAID = 30;

/** The time since a moment: charts of load and slaves, sums, and what the balancer said. */
export function printedSince(
  {
    hours,
    said,
    span,
  }: { readonly hours: readonly Hour[]; readonly said: readonly Said[]; readonly span: Span },
  look: Look,
): readonly string[] {
  const total = sumOf(
    hours.map(it => it.tally),
    span.from,
  );
  const label = (text: string) => paint(look, 'bold', text.padEnd(INDENT));
  const blank = ' '.repeat(INDENT);
  const width = Math.max(10, Math.min(96, look.width - INDENT - 10));
  const inOrder = everyHour(hours, span);
  const chart = (of: (tally: Tally) => number | null) =>
    sparkline(
      squeezed(
        inOrder.map(it => (it === undefined ? null : of(it))),
        width,
      ),
      look.utf8,
    );
  const mean = total.known === 0 ? 0 : (total.requests / total.known) * 1000;
  const shown = said.filter(({ at }) => at >= span.from && at < span.until);
  const load =
    total.known === 0
      ? 'not known'
      : `${requestRate(mean)} requests/s on average, ${requestRate(total.peak)} at most; ${counted(Math.round(total.requests), 'request')}, ${share(total.tooFew, total.requests)} met too few slaves`;
  const slaves = `${grouped(total.existed / HOUR, 1)} slave-hours${total.bought > 0 ? ` (${grouped(total.bought / HOUR, 1)} on demand)` : ''}; ${counted(total.launches, 'launch', 'launches')}, ${counted(total.interruptions, 'interruption')}`;
  const bound = total.atMost > 0 ? 'at most ' : '';
  return [
    `From ${minuteOf(span.from)} to ${minuteOf(span.until)} (UTC), of which the balancer ran ${duration(total.watched)}`,
    '',
    ...lined(label('Load'), load, look),
    `${blank}${paint(
      look,
      'cyan',
      chart(({ known, peak }) => (known === 0 ? null : peak)),
    )}`,
    ...lined(label('Slaves'), slaves, look),
    `${blank}${paint(
      look,
      'green',
      chart(({ watched, existed }) => (watched === 0 ? null : existed / watched)),
    )}`,
    ...lined(label('Money'), `${bound}${dollars(total.dollars)}, without disks and traffic`, look),
    ...(shown.length === 0 ? [] : ['', paint(look, 'bold', headOf(shown.length))]),
    ...shown.slice(-MOST_SAID).flatMap(it => saidLines(it, look)),
  ];
}

function headOf(count: number): string {
  return count <= MOST_SAID ? 'Decisions (UTC)' : `The last ${MOST_SAID} of ${count} decisions (UTC)`;
}

function everyHour(hours: readonly Hour[], { from, until }: Span): readonly (Tally | undefined)[] {
  const start = Math.floor(from / HOUR) * HOUR;
  const found = new Map(hours.map(({ tally }) => [tally.start, tally]));
  const count = Math.max(1, Math.ceil((until - start) / HOUR));
  return Array.from({ length: count }, (_, hour) => found.get(start + hour * HOUR));
}

function lined(label: string, text: string, look: Look): readonly string[] {
  return wrapped(text, Math.max(20, look.width - INDENT)).map((line, at) =>
    at === 0 ? `${label}${line}` : `${' '.repeat(INDENT)}${line}`,
  );
}

function saidLines({ at, level, message }: Said, look: Look): readonly string[] {
  const time = new Date(Math.floor(at / SECOND) * SECOND).toISOString().slice(0, 19).replace('T', ' ');
  const mark = level === 'error' ? 'error: ' : level === 'warn' ? 'warning: ' : '';
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : undefined;
  return wrapped(`${mark}${harmless(message)}`, Math.max(20, look.width - time.length - 1)).map(
    (line, index) =>
      `${index === 0 ? paint(look, 'dim', time) : ' '.repeat(time.length)} ${paint(look, colour, line)}`,
  );
}
