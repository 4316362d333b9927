import { failure, usageError } from '../../errors.ts';
import { harmless } from '../../format/harmless.ts';
import { type Book, hoursOf } from '../../history/book.ts';
import { type Simulated, simulated } from '../../history/compare.ts';
import { daysOf, figuresOf, hoursIn, monthOf, monthSpan } from '../../history/days.ts';
import { readBook } from '../../history/files.ts';
import { dayOf, printedDays, printedSince } from '../../history/print.ts';
import { sumOf } from '../../history/tally.ts';
import { configuredMaster } from '../../status/find.ts';
import { lookOf } from '../../terminal/look.ts';
import type { Given } from '../given.ts';
import { becomeStateOwner } from '../own-state.ts';

/**
 * `gbrowse-aws-balancer report`: what each day of a month cost and gave, and what a simulation says of it.
 *
 * @returns the exit status
 */
export async function report(given: Given<'report'>): Promise<number> {
  if (given.json && given.csv) throw usageError('--json cannot be combined with --csv');
  const { master, config, book } = await historyOf(given.conf);
  const month = given.month ?? monthOf(Date.now());
  const hours = hoursIn(hoursOf(book), monthSpan(month));
  if (hours.length === 0) throw failure(nothing(book, `in ${month}`));
  const simulation = simulated(hours, config, book.bootTime);
  const days = daysOf(hours).map(day => ({ day: dayOf(day.start), ...figuresOf(day) }));
  if (given.json) {
    const total = figuresOf(sumOf(daysOf(hours), 0));
    print(JSON.stringify({ master, month, days, total, simulated: roundedOf(simulation) }, undefined, 2));
  } else if (given.csv) {
    const names = Object.keys(days[0] ?? {});
    print([names.join(','), ...days.map(day => Object.values(day).map(String).join(','))].join('\n'));
  } else {
    const title = `${month}, master "${master}"`;
    print(
      printedDays(hours, { title, simulated: simulation }, lookOf(process.stdout, process.env)).join('\n'),
    );
  }
  return 0;
}

/**
 * `gbrowse-aws-balancer status --since`: what was in the last hours or days.
 *
 * @returns the exit status
 */
export async function statusSince(given: Given<'status'>, since: number): Promise<number> {
  const { master, book } = await historyOf(given.conf);
  const until = Date.now();
  const span = { from: until - since, until };
  // An hour counts when any of it does.
  const hours = hoursIn(hoursOf(book), { from: span.from - 3_599_999, until });
  if (hours.length === 0) throw failure(nothing(book, 'in that time'));
  if (given.json) {
    const figures = hours.map(({ tally }) => ({
      time: new Date(tally.start).toISOString(),
      ...figuresOf(tally),
    }));
    const said = book.said.filter(({ at }) => at >= span.from);
    const decisions = said.map(({ at, level, message }) => ({
      time: new Date(at).toISOString(),
      level,
      message,
    }));
    print(JSON.stringify({ master, hours: figures, decisions }, undefined, 2));
  } else {
    print(printedSince({ hours, said: book.said, span }, lookOf(process.stdout, process.env)).join('\n'));
  }
  return 0;
}

async function historyOf(conf: string | undefined) {
  const { config, master } = await configuredMaster(conf);
  const { stateDirectory: directory } = config.master;
  await becomeStateOwner(directory, config.file);
  const { book, unused, isThere } = await readBook({ directory, master }, Date.now());
  for (const why of unused) process.stderr.write(`a part of the history is not used: ${harmless(why)}\n`);
  if (!isThere) {
    throw failure(
      `there is no history of the master "${master}" in ${directory} yet; a running balancer writes it every minute`,
    );
  }
  return { config, master, book };
}

function nothing(book: Book, when: string): string {
  const first = hoursOf(book)[0];
  const from = first === undefined ? '' : `; it begins on ${dayOf(first.tally.start)}`;
  return `the history has nothing ${when}${from}`;
}

function roundedOf(simulation: Simulated | undefined) {
  if (simulation === undefined) return null;
  const entries = Object.entries(simulation).map(
    ([name, value]) => [name, Number(value.toFixed(4))] as const,
  );
  return Object.fromEntries(entries);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
