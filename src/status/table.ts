import { type Colour, type Look, paint } from '../terminal/look.ts';
import { wrapped } from '../terminal/wrap.ts';
import type { Report, ReportedSlave } from './report.ts';
import { harmless, shortSpan } from './words.ts';

type Column = {
  readonly title: string;
  readonly right?: boolean;
  cell(slave: ReportedSlave): string;
  colour?(slave: ReportedSlave): Colour | undefined;
};

const COLOURS = new Map<string, Colour>([
  ['serving', 'green'],
  ['ready', 'green'],
  ['starting', 'cyan'],
  ['booting', 'cyan'],
  ['not answering', 'red'],
  ['leaving', 'yellow'],
  ['draining', 'yellow'],
  ['ending', 'dim'],
]);

const REASON: Column = { title: 'WHY', cell: slave => slave.reason ?? '' };

const DATA: Column = {
  title: 'DATA',
  cell: slave => dataOf(slave),
  colour: slave => (slave.dataIsCurrent ? undefined : 'yellow'),
};

/** From the left to the right. */
function columnsFor(time: string, zone: (slave: ReportedSlave) => string): readonly Column[] {
  return [
    { title: 'SLAVE', cell: slave => slave.instanceId },
    { title: 'STATE', cell: slave => stateOf(slave, time), colour: slave => COLOURS.get(slave.state) },
    { title: 'AGE', right: true, cell: slave => shortSpan(slave.ageSeconds) },
    { title: 'TYPE', cell: slave => slave.instanceType },
    { title: 'ZONE', cell: zone },
    { title: 'ADDRESS', cell: slave => slave.address ?? '-' },
    {
      title: '$/HOUR',
      right: true,
      cell: slave => `${slave.priceIsKnown ? '' : '<'}${slave.pricePerHour.toFixed(4)}`,
    },
  ];
}

/** `draining 42s`: what is left of its drain. */
function stateOf({ state, drainEndsAt }: ReportedSlave, time: string): string {
  if (state !== 'draining' || drainEndsAt === null) return state;
  return `${state} ${shortSpan((Date.parse(drainEndsAt) - Date.parse(time)) / 1000)}`;
}

function dataOf({ dataSnapshots, dataIsCurrent }: ReportedSlave): string {
  const names = dataSnapshots.length === 0 ? 'none' : dataSnapshots.join(' ');
  return dataIsCurrent ? names : `${names} (old)`;
}

/**
 * The slaves, one a line. Their data snapshots, and why one leaves, get columns where there is room; else the one is
 * summed up below the table, and the other stands in a line below its slave.
 */
export function slaveTable({ slaves, time }: Report, look: Look): readonly string[] {
  if (slaves.length === 0) return [];
  const full = columnsFor(time, slave => slave.availabilityZone);
  const narrow = columnsFor(
    time,
    slave => /(\d[a-z]+)$/.exec(slave.availabilityZone)?.[1] ?? slave.availabilityZone,
  );
  const hasData = slaves.some(slave => slave.dataSnapshots.length > 0 || !slave.dataIsCurrent);
  const data = hasData ? [DATA] : [];
  const reason = slaves.some(slave => slave.reason !== null) ? [REASON] : [];
  const candidates = [[...full, ...data, ...reason], [...full, ...data], [...full, ...reason], full];
  const columns = candidates.find(it => widthOf(it, slaves) <= look.width) ?? narrow;
  const lines = render(columns, slaves, look);
  return columns.includes(DATA) || !hasData ? lines : [...lines, ...dataSummary(slaves, look)];
}

const GAP = 2;

function widthsOf(columns: readonly Column[], slaves: readonly ReportedSlave[]): readonly number[] {
  return columns.map(({ title, cell }) =>
    Math.max(title.length, ...slaves.map(slave => harmless(cell(slave)).length)),
  );
}

function widthOf(columns: readonly Column[], slaves: readonly ReportedSlave[]): number {
  return widthsOf(columns, slaves).reduce((sum, width) => sum + width + GAP, -GAP);
}

function render(columns: readonly Column[], slaves: readonly ReportedSlave[], look: Look): readonly string[] {
  const widths = widthsOf(columns, slaves);
  const row = (cells: readonly { readonly text: string; readonly colour?: Colour | undefined }[]) =>
    cells
      .map(({ text, colour }, at) => {
        const blanks = ' '.repeat(Math.max(0, (widths[at] ?? 0) - text.length));
        const painted = paint(look, colour, text);
        return columns[at]?.right === true ? `${blanks}${painted}` : `${painted}${blanks}`;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const head = row(columns.map(({ title }) => ({ text: title, colour: 'dim' })));
  return [
    head,
    ...slaves.flatMap(slave => [
      row(columns.map(({ cell, colour }) => ({ text: harmless(cell(slave)), colour: colour?.(slave) }))),
      ...(slave.reason === null || columns.includes(REASON)
        ? []
        : wrapped(harmless(slave.reason), look.width - 4).map(line => paint(look, 'dim', `    ${line}`))),
    ]),
  ];
}

/** `Data: snap-1 (3 slaves); snap-0, not current (i-1, i-2)` */
function dataSummary(slaves: readonly ReportedSlave[], look: Look): readonly string[] {
  const groups = Map.groupBy(slaves, dataOf);
  const parts = [...groups].map(([data, them]) => {
    const who =
      them[0]?.dataIsCurrent === true
        ? them.length === slaves.length
          ? 'all slaves'
          : `${them.length} of ${slaves.length} slaves`
        : them.map(it => it.instanceId).join(' ');
    return `${data}: ${who}`;
  });
  return wrapped(harmless(`Data ${parts.join('; ')}`), look.width);
}
