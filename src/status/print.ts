import { NEARLY } from '../budget/ledger.ts';
import { SECOND } from '../clock.ts';
import { sparkline, squeezed } from '../format/charts.ts';
import { duration } from '../format/durations.ts';
import { harmless } from '../format/harmless.ts';
import { dollars } from '../format/money.ts';
import { counted, grouped, requestRate } from '../format/numbers.ts';
import { clockTime } from '../format/times.ts';
import { wrapped } from '../format/wrap.ts';
import { pauseInWords, untilInWords } from '../policy/pause.ts';
import { type Look, paint } from '../terminal/look.ts';
import { bootLine } from './boot-line.ts';
import { renderLine } from './render-line.ts';
import type { Report, ReportedEvent, SlaveState } from './report.ts';
import { slaveTable } from './table.ts';

/** Where the text after a label begins. */
const INDENT = 10;
/** The states of slaves in a sum. */
const ORDER: readonly string[] = [
  'serving',
  'ready',
  'booting',
  'starting',
  'not answering',
  'leaving',
  'draining',
  'ending',
] satisfies readonly SlaveState[];
/** A minute is one character wide. */
const CHART_WIDTH = 60;
const MOST_EVENTS = 8;
const MOST_ACTIONS = 4;
/** A blank at which no line is broken. */
const UNBROKEN = '\u00a0';

/** The report for people, its lines at most as wide as the terminal (from 60 columns on). */
export function printReport(report: Report, look: Look): readonly string[] {
  return [
    ...heading(report, look),
    '',
    ...pauseLines(report, look),
    ...loadLines(report, look),
    ...wantedLines(report, look),
    ...slaveLines(report, look),
    ...releaseLines(report, look),
    ...launchLines(report, look),
    ...retryLines(report, look),
    ...moneyLines(report, look),
    ...notifyLines(report, look),
    ...ec2Lines(report, look),
    ...section(slaveTable(report, look)),
    ...section(eventLines(report, look)),
  ];
}

function section(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

/** A label, and a text that may take several lines. */
function labelled(
  label: string,
  text: string,
  look: Look,
  colour?: Parameters<typeof paint>[1],
): readonly string[] {
  return wrapped(harmless(text), Math.max(20, look.width - INDENT)).map(
    (line, at) =>
      `${at === 0 ? paint(look, 'bold', label) + ' '.repeat(INDENT - label.length) : ' '.repeat(INDENT)}${paint(look, colour, line.replaceAll(UNBROKEN, ' '))}`,
  );
}

function heading({ balancer, time }: Report, look: Look): readonly string[] {
  const { phase, nextPollAt } = balancer;
  const wait = nextPollAt === null ? undefined : Date.parse(nextPollAt) - Date.parse(time);
  const next = wait === undefined ? '' : wait < 500 ? ', polling now' : `, next poll in ${duration(wait)}`;
  const state = `${phase} for ${duration(balancer.uptimeSeconds * SECOND)} (process ${balancer.pid})${next}`;
  return [
    ...wrapped(
      harmless(`gbrowse-aws-balancer ${balancer.version}, master "${balancer.master}"`),
      look.width,
    ).map(line => paint(look, 'bold', line)),
    ...wrapped(harmless(phase === 'running' ? state : state.replace(/ for .*? \(/, ' (')), look.width).map(
      line => paint(look, phase === 'running' ? 'green' : 'yellow', line),
    ),
    ...wrapped(harmless(`configuration ${balancer.configFile}`), look.width),
  ];
}

function pauseLines({ pause, time }: Report, look: Look): readonly string[] {
  if (pause === null) return [];
  const until = pause.until === null ? {} : { until: Date.parse(pause.until) };
  const text = `${untilInWords(until, Date.parse(time))}: ${pauseInWords({ release: pause.releasesSlaves })}. "gbrowse-aws-balancer resume" ends the pause.`;
  return labelled('Paused', text, look, 'yellow');
}

function loadLines({ load, history, time }: Report, look: Look): readonly string[] {
  const {
    requestsPerSecond,
    lastHourMeanRequestsPerSecond: mean,
    lastHourPeakRequestsPerSecond: peak,
  } = load;
  const now =
    requestsPerSecond === null
      ? 'not measured yet'
      : `${requestRate(requestsPerSecond)} requests/s${load.isCurrent ? '' : ' at the last measurement'}`;
  const hour =
    mean === null || peak === null
      ? ''
      : `; last hour ${requestRate(mean)} on average, ${requestRate(peak)} at most`;
  return [
    ...labelled('Load', `${now}${hour}`, look),
    ...(load.overloadedSince === null
      ? []
      : labelled(
          '',
          `overloaded since ${clockTime(load.overloadedSince, time)}: ${load.overload ?? 'Apache does not keep up'}`,
          look,
          'red',
        )),
    ...(load.error === null ? [] : labelled('', load.error, look, 'red')),
    ...chart(
      history.points.map(it => it.peakRequestsPerSecond),
      'cyan',
      look,
    ),
  ];
}

function wantedLines({ wanted, release }: Report, look: Look): readonly string[] {
  if (wanted === null) return labelled('Wanted', 'unknown until the load is known', look);
  const { minSlaves, maxSlaves, rowRequestsPerSecond: row } = wanted;
  const range = minSlaves === maxSlaves ? counted(minSlaves, 'slave') : `${minSlaves} to ${maxSlaves} slaves`;
  const why =
    row === null
      ? 'below the first row of the load table'
      : release.keepTimeSeconds === null
        ? `row of the load table: ${row} ${minSlaves} ${maxSlaves}`
        : // What is kept for a load that may come back is not what the row says.
          `row of the load table: from ${row} requests/s; release_after decides what is kept beyond min`;
  return labelled('Wanted', `${range} (${why})`, look);
}

function slaveLines(report: Report, look: Look): readonly string[] {
  const { slaves, launches, history } = report;
  const drawn = renderLine(report);
  const states = Map.groupBy(slaves, it => it.state);
  const parts = [...states]
    .toSorted(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b))
    .map(([state, them]) => `${them.length} ${state}`);
  if (launches.underway > 0) parts.push(`${launches.underway} just launched`);
  return [
    ...labelled('Slaves', parts.length === 0 ? 'none: GBrowse renders locally' : parts.join(', '), look),
    ...chart(
      history.points.map(it => it.servingSlaves),
      'green',
      look,
    ),
    ...onDemandLines(report, look),
    ...(drawn === undefined ? [] : labelled('', drawn.text, look, drawn.isIdle ? 'yellow' : undefined)),
  ];
}

function onDemandLines({ slaves, launches, time }: Report, look: Look): readonly string[] {
  const bought = slaves.filter(it => it.onDemand).length;
  const since = launches.noSpotSince;
  if (bought === 0 && since === null) return [];
  const why = since === null ? '' : `no spot capacity within the bid since ${clockTime(since, time)}`;
  const what =
    bought === 0
      ? ''
      : `${bought} ${bought === 1 ? 'runs' : 'run'} on demand, at the full price, until spot slaves serve instead`;
  return labelled('', [why, what].filter(it => it !== '').join('; '), look, 'yellow');
}

/** The last hour; an hour of nothing is no chart. */
function chart(values: readonly (number | null)[], colour: 'cyan' | 'green', look: Look): readonly string[] {
  if (values.length < 2 || values.every(it => it === null || it === 0)) return [];
  const top = Math.max(...values.map(it => it ?? 0));
  const width = Math.min(CHART_WIDTH, Math.max(10, look.width - INDENT - 8));
  const line = sparkline(squeezed(values, width), look.utf8);
  const scale = Number.isInteger(top) ? String(top) : requestRate(top);
  return [`${' '.repeat(INDENT)}${paint(look, colour, line)} ${paint(look, 'dim', `0-${scale}`)}`];
}

/** Which slaves are kept until when, how long a boot takes here, and its parts. */
function releaseLines(report: Report, look: Look): readonly string[] {
  const { slaves, release, time } = report;
  const phases = bootLine(report);
  const kept = Map.groupBy(
    slaves.flatMap(({ keptUntil }) => (keptUntil === null ? [] : [keptUntil])).toSorted(),
    until => clockTime(until, time).slice(0, -':00'.length),
  );
  const { bootTimeSeconds, bootsMeasured } = release;
  return [
    ...(kept.size === 0
      ? []
      : labelled(
          '',
          `${[...kept].map(([until, them]) => `${them.length} kept until ${until}`).join(', ')} in case the load comes back`,
          look,
        )),
    ...(bootTimeSeconds === null
      ? []
      : labelled(
          '',
          `a boot takes ${duration(bootTimeSeconds * SECOND)} here (${bootsMeasured === 1 ? 'one boot measured' : `median of the last ${bootsMeasured} boots`})`,
          look,
          'dim',
        )),
    ...(phases === '' ? [] : labelled('', `parts of a boot, in the median: ${phases}`, look, 'dim')),
  ];
}

function launchLines({ launches, time }: Report, look: Look): readonly string[] {
  const { heldUntil, reason } = launches;
  if (heldUntil === null && reason === null) return [];
  const when =
    heldUntil === null
      ? 'the last one failed'
      : `none before ${clockTime(heldUntil, time)} (in ${duration(Date.parse(heldUntil) - Date.parse(time))})`;
  return labelled('Launches', reason === null ? when : `${when}: ${reason}`, look, 'yellow');
}

function retryLines({ retries, time }: Report, look: Look): readonly string[] {
  return retries.flatMap(({ what, failuresInARow, nextAttemptAt }, at) => {
    const wait = Date.parse(nextAttemptAt) - Date.parse(time);
    const next = wait <= 0 ? 'trying again now' : `again in ${duration(wait)}`;
    const times = failuresInARow > 1 ? ` (${failuresInARow} times)` : '';
    return labelled(at === 0 ? 'Trouble' : '', `${what}${times}, ${next}`, look, 'yellow');
  });
}

function moneyLines({ money, balancer }: Report, look: Look): readonly string[] {
  const { today, sinceStart, pricePerHour, isUpperBound } = money;
  const most = (isBound: boolean) => (isBound ? 'at most ' : '');
  const sameSpan = today.since === balancer.startedAt || today.since === sinceStart.since;
  const sums = sameSpan
    ? `${most(sinceStart.isUpperBound)}${dollars(sinceStart.dollars)} since the start`
    : `${most(today.isUpperBound)}${dollars(today.dollars)} today (UTC), ${most(sinceStart.isUpperBound)}${dollars(sinceStart.dollars)} since the start`;
  const bound = isUpperBound || sinceStart.isUpperBound;
  return [
    ...labelled('Money', `${most(isUpperBound)}${dollars(pricePerHour)} an hour now; ${sums}`, look),
    ...monthLines(money, look),
    ...(bound ? labelled('', 'at most: with the bid where AWS gave no spot price', look, 'dim') : []),
  ];
}

/** What the month has cost, and how its budget stands. */
function monthLines({ month }: Report['money'], look: Look): readonly string[] {
  if (month === null) return [];
  const { budget, dollarsAtMost, isUsedUp } = month;
  const spent = `${dollars(dollarsAtMost)} in ${month.month} (UTC)`;
  if (budget === null) return labelled('', spent, look);
  const share = `${Math.floor((100 * dollarsAtMost) / budget)} % of the budget of ${dollars(budget)}`;
  if (isUsedUp)
    return labelled(
      '',
      `${spent}, ${share}: it is used up, so nothing is launched before the next month or a higher [SLAVE] budget`,
      look,
      'red',
    );
  return labelled(
    '',
    `${spent}, ${share}`,
    look,
    ...(dollarsAtMost >= NEARLY * budget ? (['yellow'] as const) : []),
  );
}

function notifyLines({ notify, time }: Report, look: Look): readonly string[] {
  if (notify === null) return [];
  const { last, openTopics } = notify;
  const open = openTopics.length === 0 ? '' : `; not over: ${openTopics.join(', ')}`;
  if (last === null) return labelled('Notify', `nothing was told yet${open}`, look);
  const what = `${last.topic}${last.event === 'over' ? ' (over)' : ''}`;
  return labelled(
    'Notify',
    `${last.isFailed ? 'the last call failed, see the log' : 'last told'}: ${what}, ${clockTime(last.time, time)}${open}`,
    look,
    ...(last.isFailed ? (['red'] as const) : []),
  );
}

function ec2Lines({ ec2 }: Report, look: Look): readonly string[] {
  const failed = ec2.errorsToday === 0 ? 'none failed' : `${grouped(ec2.errorsToday)} failed`;
  const actions = ec2.today
    .slice(0, MOST_ACTIONS)
    .map(({ action, calls, errors }) =>
      [action, grouped(calls), ...(errors === 0 ? [] : [`(${grouped(errors)} failed)`])]
        .join(' ')
        .replaceAll(' ', UNBROKEN),
    );
  const others = ec2.today.slice(MOST_ACTIONS).reduce((sum, it) => sum + it.calls, 0);
  if (others > 0) actions.push(`others${UNBROKEN}${grouped(others)}`);
  return labelled(
    'EC2',
    ec2.callsToday === 0
      ? 'not called today'
      : `${counted(ec2.callsToday, 'call')} today (UTC), ${failed}: ${actions.join(', ')}`,
    look,
  );
}

/** What was decided last, and below it the problems from before. */
function eventLines({ decisions, problems, time }: Report, look: Look): readonly string[] {
  const shown = decisions.slice(-MOST_EVENTS);
  const from = shown[0]?.time ?? time;
  const earlier = problems.filter(it => it.time < from).slice(-MOST_EVENTS / 2);
  return [
    ...(shown.length > 0 ? [paint(look, 'bold', 'Last decisions')] : []),
    ...shown.flatMap(event => eventLine(event, time, look)),
    ...(earlier.length > 0 ? ['', paint(look, 'bold', 'Warnings and errors before')] : []),
    ...earlier.flatMap(event => eventLine(event, time, look)),
  ];
}

function eventLine({ time, level, message }: ReportedEvent, now: string, look: Look): readonly string[] {
  const at = clockTime(time, now);
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : undefined;
  const mark = level === 'error' ? 'error: ' : level === 'warn' ? 'warning: ' : '';
  return wrapped(`${mark}${harmless(message)}`, Math.max(20, look.width - at.length - 1)).map(
    (line, index) =>
      `${index === 0 ? paint(look, 'dim', at) : ' '.repeat(at.length)} ${paint(look, colour, line)}`,
  );
}
