import type { LoadRow, LoadTable } from './config.ts';
import { parseCount, parseNumber, quote } from './values.ts';

/** Something wrong in the file, with its line number if it has one. */
export type Mistake = { readonly line?: number; readonly message: string };

/** A larger number is treated as a typing mistake, because each instance costs money. */
const MOST_SLAVES = 1000;

/**
 * The rows of `[LOAD TABLE]`, in any order: requests/sec, min and max, separated by white space. The table is valid
 * only without mistakes.
 */
export function parseLoadTable(rows: readonly { readonly line: number; readonly text: string }[]): {
  readonly table: LoadTable;
  readonly mistakes: readonly Mistake[];
} {
  const table: LoadRow[] = [];
  const mistakes: Mistake[] = [];
  const lineOfRate = new Map<number, number>();
  for (const { line, text } of rows) {
    const row = parseRow(text);
    mistakes.push(...row.mistakes.map(message => ({ line, message })));
    const rate = row.requestsPerSecond;
    if (rate === undefined) continue;
    const first = lineOfRate.get(rate);
    if (first === undefined) lineOfRate.set(rate, line);
    else
      mistakes.push({ line, message: `a second row for ${rate} requests/sec, expected one (line ${first})` });
    if (row.min !== undefined && row.max !== undefined) {
      table.push({ requestsPerSecond: rate, min: row.min, max: row.max });
    }
  }
  if (rows.length === 0) {
    mistakes.push({ message: '[LOAD TABLE] is empty, expected rows of requests/sec, min and max' });
  }
  return { table: table.sort((a, b) => a.requestsPerSecond - b.requestsPerSecond), mistakes };
}

type Row = Partial<LoadRow> & { readonly mistakes: readonly string[] };

function parseRow(text: string): Row {
  if (/^\w+\s*=/.test(text)) {
    return { mistakes: ['an option in [LOAD TABLE], expected a [MASTER] or [SLAVE] line above it'] };
  }
  const columns = text.split(/\s+/);
  const [rateText = '', minText = '', maxText = ''] = columns;
  if (columns.length !== 3) {
    const count = columns.length === 1 ? '1 column' : `${columns.length} columns`;
    return { mistakes: [`a row of ${count}, expected 3: requests/sec, min and max`] };
  }
  const rate = parseNumber(rateText);
  const min = parseCount(minText, MOST_SLAVES);
  const max = parseCount(maxText, MOST_SLAVES);
  const count = `expected a whole number of slaves from 0 to ${MOST_SLAVES}`;
  const mistakes: string[] = [];
  if (rate === undefined) {
    mistakes.push(`requests/sec is ${quote(rateText)}, expected a number that is not negative, such as 0.5`);
  }
  if (min === undefined) mistakes.push(`min is ${quote(minText)}, ${count}`);
  if (max === undefined) mistakes.push(`max is ${quote(maxText)}, ${count}`);
  if (min !== undefined && max !== undefined && min > max) {
    mistakes.push(`min is ${min} and max is ${max}, expected a min that is not above the max`);
  }
  return {
    mistakes,
    ...(rate !== undefined && { requestsPerSecond: rate }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
}
