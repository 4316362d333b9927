import { styleText } from 'node:util';
import { SECOND } from '../clock.ts';
import { columnChart } from '../format/charts.ts';
import { duration } from '../format/durations.ts';
import { dollars } from '../format/money.ts';
import { grouped, requestRate, share } from '../format/numbers.ts';
import { alignedRows } from '../format/tables.ts';
import { wrapped } from '../format/wrap.ts';
import { NEED_IN_WORDS } from './need.ts';
import { BEST_IN_WORDS } from './run-best.ts';
import { loadOf, meanOf, partsOf, wantedOf } from './series.ts';
import type { Policy, Simulation } from './simulate.ts';
import type { Suggestion } from './suggest.ts';
import {
  aboutLoad,
  bootWords,
  budgetWords,
  moment,
  queueWords,
  releaseWords,
  surenessWords,
  tableText,
} from './words.ts';

/** Where the text goes. */
type Paper = { readonly columns: number; readonly unicode: boolean; readonly colour: boolean };

/** Longer lines are hard to read. */
const WIDEST_TEXT = 100;

type Colour = 'cyan' | 'yellow' | 'green' | 'bold' | 'dim';

/** A simulation as text: charts, a line a policy, the suggestion. Ends with a line end. */
export function printed(
  simulation: Simulation,
  about: { readonly remarks: readonly string[]; readonly price: string },
  paper: Paper,
): string {
  const { own, other, world, suggestion } = simulation;
  const fill = (text: string) => filled(text, Math.min(paper.columns, WIDEST_TEXT));
  const { pollInterval } = own.settings.master;
  const blocks = [
    fill(aboutLoad(simulation)),
    fill(
      `${own.name}: a poll every ${duration(pollInterval)}; a slave boots in ${bootWords(world.bootTime)}; ${about.price}; ${interruptionWords(world.interruptions)}`,
    ),
    ...(other === undefined
      ? []
      : [fill(`The other file: ${other.name}. Both are judged by the first one's load table.`)]),
    ...(simulation.queue === undefined ? [] : [fill(queueWords(simulation.queue))]),
    ...about.remarks.map(fill),
    '',
    ...charts(simulation, paper),
    '',
    ...policyTable(simulation, paper),
    '',
    fill(NEED_IN_WORDS),
    fill(BEST_IN_WORDS),
    fill(budgetWords(simulation)),
    ...(suggestion === undefined
      ? []
      : ['', ...suggested(simulation, suggestion, paper), '', fill(releaseWords(simulation))]),
  ];
  return `${blocks.join('\n')}\n`;
}

function interruptionWords(rate: number): string {
  return rate === 0 ? 'no interruptions' : `${rate} interruptions an instance-hour`;
}

function charts({ trace, need, policies }: Simulation, paper: Paper): string[] {
  const label = 7;
  const width = Math.min(paper.columns, 120) - label;
  const parts = partsOf(trace, width);
  const load = loadOf(trace, parts);
  const { min } = wantedOf(need, parts);
  const own = policies.find(({ id }) => id === 'balancer');
  const serving = own === undefined ? new Float64Array() : meanOf(own.outcome.serving, parts);
  const most = Math.max(...min, ...serving, 1);
  const style = { width, rows: 4, unicode: paper.unicode };

  const chart = (title: string, colour: Colour, values: ArrayLike<number>, top: number) => [
    title,
    ...columnChart(values, top, style).map((line, row) =>
      `${(row === 0 ? requestRate(top) : row === style.rows - 1 ? '0' : '').padStart(label - 2)}  ${coloured(line, colour, paper)}`.trimEnd(),
    ),
  ];
  const [first, last] = [moment(trace, 0), moment(trace, trace.seconds * SECOND)];
  return [
    ...chart('requests/s (average)', 'cyan', load.mean, Math.max(...load.mean)),
    ...chart('slaves needed', 'yellow', min, most),
    ...chart('slaves serving, this balancer', 'green', serving, most),
    coloured(
      `${' '.repeat(label)}${first}${last.padStart(Math.max(0, parts.count - first.length))}`,
      'dim',
      paper,
    ),
  ];
}

/** The columns: a heading of two lines, and the cells below it. */
const COLUMNS: readonly (readonly [string, string, (policy: Policy, simulation: Simulation) => string])[] = [
  ['too few', 'slaves', ({ outcome }, { requests }) => share(outcome.tooFew, requests)],
  ['by past', 'minute', ({ tooFewKnown }, { requests }) => share(tooFewKnown, requests)],
  ['missing', 'min/day', ({ outcome }, { days }) => short(outcome.missing / 60_000 / days)],
  ['launched', 'a day', ({ outcome }, { days }) => short(outcome.launches / days)],
  ['inter-', 'rupted', ({ outcome }) => grouped(outcome.interruptions)],
  ['cost', 'a day', ({ outcome }, { days }) => dollars(outcome.cost / days)],
  ['times', 'the best', ({ timesBest }) => (timesBest === undefined ? '-' : timesBest.toFixed(2))],
];

function policyTable(simulation: Simulation, paper: Paper): string[] {
  const { policies } = simulation;
  const tableOf = (columns: typeof COLUMNS) =>
    alignedRows(
      [
        ['', ...columns.map(([one]) => one)],
        ['', ...columns.map(([, two]) => two)],
        ...policies.map(policy => [policy.title, ...columns.map(([, , cell]) => cell(policy, simulation))]),
      ],
      { right: column => column > 0 },
    );
  const full = tableOf(COLUMNS);
  const fits = full.every(line => line.length <= paper.columns);
  const lines = fits ? full : tableOf(COLUMNS.filter(([title]) => title !== 'missing'));
  return lines.map((line, at) =>
    at < 2
      ? coloured(line, 'dim', paper)
      : policies[at - 2]?.id === 'balancer'
        ? coloured(line, 'bold', paper)
        : line,
  );
}

function suggested(
  { requests, days }: Simulation,
  suggestion: Suggestion | 'impossible',
  paper: Paper,
): string[] {
  const fill = (text: string) => filled(text, Math.min(paper.columns, WIDEST_TEXT));
  if (suggestion === 'impossible')
    return [
      fill('No table can be suggested: at this load the table of the configuration never calls for a slave.'),
    ];
  const { table, kept, choices } = suggestion;
  const aDay = requests / days;
  const intro = kept
    ? 'Keep the load table of the configuration:'
    : 'Suggested, to serve at least as well for less:';
  return [
    fill(intro),
    '',
    tableText(table),
    '',
    fill(surenessWords(suggestion, aDay)),
    '',
    fill('What other tables would give (--json has them):'),
    ...choices.map(
      ({ whole: { cost, tooFew } }) =>
        `  ${`${dollars(cost)} a day`.padEnd(16)} ${share(tooFew, aDay).padStart(8)} of the requests meet too few slaves`,
    ),
  ];
}

/** Three digits of it. */
function short(count: number): string {
  return count === 0 ? '0' : count >= 100 ? grouped(count) : String(Number(count.toPrecision(2)));
}

function coloured(text: string, colour: Colour, { colour: on }: Paper): string {
  return on ? styleText(colour, text, { validateStream: false }) : text;
}

/** Lines of at most this many columns, all but the first indented. */
function filled(text: string, columns: number): string {
  return wrapped(text, columns - 2, 'keep').join('\n  ');
}
