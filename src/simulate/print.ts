import { styleText } from 'node:util';
import { SECOND } from '../clock.ts';
import { columnChart } from '../format/charts.ts';
import { duration } from '../format/durations.ts';
import { dollars } from '../format/money.ts';
import { grouped, requestRate, share } from '../format/numbers.ts';
import { wrapped } from '../format/wrap.ts';
import { NEED_IN_WORDS } from './need.ts';
import { BEST_IN_WORDS } from './run-best.ts';
import { loadOf, meanOf, partsOf, wantedOf } from './series.ts';
import type { Policy, Simulation } from './simulate.ts';
import type { Suggestion } from './suggest.ts';
import { aboutLoad, bootWords, moment, surenessWords, tableText } from './words.ts';

/** Where the text goes. */
export type Paper = { readonly columns: number; readonly unicode: boolean; readonly colour: boolean };

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
    ...about.remarks.map(fill),
    '',
    ...charts(simulation, paper),
    '',
    ...policyTable(simulation, paper),
    '',
    fill(NEED_IN_WORDS),
    fill(BEST_IN_WORDS),
    ...(suggestion === undefined ? [] : ['', ...suggested(simulation, suggestion, paper)]),
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

/** The columns: heading of two lines, and what stands below. */
const COLUMNS: readonly (readonly [string, string, (policy: Policy, simulation: Simulation) => string])[] = [
  ['too few', 'slaves', ({ outcome }, { requests }) => share(outcome.tooFew, requests)],
  ['missing', 'min/day', ({ outcome }, { days }) => short(outcome.missing / 60_000 / days)],
  ['launched', 'a day', ({ outcome }, { days }) => short(outcome.launches / days)],
  ['inter-', 'rupted', ({ outcome }) => grouped(outcome.interruptions)],
  ['cost', 'a day', ({ outcome }, { days }) => dollars(outcome.cost / days)],
  ['times', 'the best', ({ timesBest }) => (timesBest === undefined ? '-' : timesBest.toFixed(2))],
];

function policyTable(simulation: Simulation, paper: Paper): string[] {
  const titles = Math.max(...simulation.policies.map(({ title }) => title.length));
  const rows = simulation.policies.map(policy => ({
    policy,
    cells: COLUMNS.map(([, , cell]) => cell(policy, simulation)),
  }));
  const widths = COLUMNS.map(([one, two], at) =>
    Math.max(one.length, two.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)),
  );
  const line = (title: string, cells: readonly string[]) =>
    `${title.padEnd(titles)}${cells.map((cell, at) => `  ${cell.padStart(widths[at] ?? 0)}`).join('')}`;
  return [
    coloured(
      line(
        '',
        COLUMNS.map(([one]) => one),
      ),
      'dim',
      paper,
    ),
    coloured(
      line(
        '',
        COLUMNS.map(([, two]) => two),
      ),
      'dim',
      paper,
    ),
    ...rows.map(({ policy, cells }) => {
      const text = line(policy.title, cells);
      return policy.id === 'balancer' ? coloured(text, 'bold', paper) : text;
    }),
  ];
}

function suggested(
  { requests, days }: Simulation,
  suggestion: Suggestion | 'impossible',
  paper: Paper,
): string[] {
  const fill = (text: string) => filled(text, Math.min(paper.columns, WIDEST_TEXT));
  if (suggestion === 'impossible')
    return [
      fill('No table can be suggested: at this load the table of the configuration never wants a slave.'),
    ];
  const { table, kept, choices } = suggestion;
  const aDay = requests / days;
  const intro = kept
    ? 'The load table of the configuration is the one to keep:'
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

/** Lines of no more than so many columns, the later ones indented. */
function filled(text: string, columns: number): string {
  return wrapped(text, columns - 2, 'keep').join('\n  ');
}
