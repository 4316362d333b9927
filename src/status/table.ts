import { SECOND } from '../clock.ts';
import { duration } from '../format/durations.ts';
import { harmless } from '../format/harmless.ts';
import { price } from '../format/money.ts';
import { grouped } from '../format/numbers.ts';
import { alignedRows, type Cell, columnWidths } from '../format/tables.ts';
import { wrapped } from '../format/wrap.ts';
import { type Colour, type Look, paint } from '../terminal/look.ts';
import type { Report, ReportedSlave } from './report.ts';

const GAP = 2;

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

const RENDERS: Column = {
  title: 'RENDERS',
  right: true,
  cell: slave => (slave.renders === null ? '-' : grouped(slave.renders)),
};

const DATA: Column = {
  title: 'DATA',
  cell: slave => dataOf(slave),
  colour: slave => (slave.dataIsCurrent ? undefined : 'yellow'),
};

/** Where there is room. */
const TYPE_AND_MARKET: Column = {
  title: 'TYPE',
  cell: slave => `${slave.instanceType}${slave.onDemand ? ' on demand' : ''}`,
};

/** From the left to the right. */
function columnsFor(time: string, zone: (slave: ReportedSlave) => string): readonly Column[] {
  return [
    { title: 'SLAVE', cell: slave => slave.instanceId },
    { title: 'STATE', cell: slave => stateOf(slave, time), colour: slave => COLOURS.get(slave.state) },
    { title: 'AGE', right: true, cell: slave => duration(slave.ageSeconds * SECOND) },
    { title: 'TYPE', cell: slave => slave.instanceType },
    { title: 'ZONE', cell: zone },
    { title: 'ADDRESS', cell: slave => slave.address ?? '-' },
    {
      title: '$/HOUR',
      right: true,
      cell: slave => `${slave.priceIsKnown ? '' : '<'}${price(slave.pricePerHour).slice(1)}`,
    },
  ];
}

/** `draining 42 s`: what is left of its drain. */
function stateOf({ state, drainEndsAt }: ReportedSlave, time: string): string {
  if (state !== 'draining' || drainEndsAt === null) return state;
  return `${state} ${duration(Date.parse(drainEndsAt) - Date.parse(time))}`;
}

function dataOf({ dataSnapshots, dataIsCurrent }: ReportedSlave): string {
  const names = dataSnapshots.length === 0 ? 'none' : dataSnapshots.join(' ');
  return dataIsCurrent ? names : `${names} (old)`;
}

/**
 * The slaves, one a line. Data snapshots and reasons for leaving get columns if there is room; otherwise the snapshots
 * are summed up below the table, and a reason is on a line below its slave.
 */
export function slaveTable({ slaves, time }: Report, look: Look): readonly string[] {
  if (slaves.length === 0) return [];
  const full = columnsFor(time, slave => slave.availabilityZone).map(column =>
    column.title === 'TYPE' ? TYPE_AND_MARKET : column,
  );
  const narrow = columnsFor(
    time,
    slave => /(\d[a-z]+)$/.exec(slave.availabilityZone)?.[1] ?? slave.availabilityZone,
  );
  const hasData = slaves.some(slave => slave.dataSnapshots.length > 0 || !slave.dataIsCurrent);
  const data = hasData ? [DATA] : [];
  const reason = slaves.some(slave => slave.reason !== null) ? [REASON] : [];
  const renders = slaves.some(slave => slave.renders !== null) ? [RENDERS] : [];
  const candidates = [[...full, ...renders], full].flatMap(columns => [
    [...columns, ...data, ...reason],
    [...columns, ...data],
    [...columns, ...reason],
    columns,
  ]);
  const columns = candidates.find(it => widthOf(it, slaves) <= look.width) ?? narrow;
  const lines = render(columns, slaves, look);
  return columns.includes(DATA) || !hasData ? lines : [...lines, ...dataSummary(slaves, look)];
}

function cellsOf(columns: readonly Column[], slave: ReportedSlave, look: Look): readonly Cell[] {
  return columns.map(({ cell, colour }) => {
    const text = harmless(cell(slave));
    return { text, painted: paint(look, colour?.(slave), text) };
  });
}

function widthOf(columns: readonly Column[], slaves: readonly ReportedSlave[]): number {
  const rows = [
    columns.map(({ title }) => title),
    ...slaves.map(slave => columns.map(({ cell }) => harmless(cell(slave)))),
  ];
  return columnWidths(rows).reduce((sum, width) => sum + width + GAP, -GAP);
}

function render(columns: readonly Column[], slaves: readonly ReportedSlave[], look: Look): readonly string[] {
  const head = columns.map(({ title }) => ({ text: title, painted: paint(look, 'dim', title) }));
  const rows = alignedRows([head, ...slaves.map(slave => cellsOf(columns, slave, look))], {
    gap: GAP,
    right: at => columns[at]?.right === true,
  });
  const hasReasons = columns.includes(REASON);
  return rows.flatMap((row, at) => {
    const reason = slaves[at - 1]?.reason ?? null;
    if (reason === null || hasReasons) return [row];
    return [row, ...wrapped(harmless(reason), look.width - 4).map(line => paint(look, 'dim', `    ${line}`))];
  });
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
