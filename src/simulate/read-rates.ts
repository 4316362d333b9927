import { failure } from '../errors.ts';
import { readPieces } from './files.ts';
import type { LoadRead } from './read-logs.ts';
import { createTrace, durationOf, LONGEST_TRACE } from './trace.ts';

const LONGEST_LINE = 100;

/**
 * Reads a file with the requests in each second, one number a line.
 *
 * @throws {UserError} naming file and line, where there is something else
 */
export async function readRates(file: string): Promise<LoadRead> {
  let counts = new Float32Array(86_400);
  let length = 0;
  let rest = '';

  function line(text: string): void {
    // NaN for what is not a number; an empty line would be 0 to Number.
    const count = /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,2})?$/i.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(count <= 1e6)) {
      throw failure(
        `${file}:${length + 1}: expected the requests in this second, a number from 0 to 1000000 on a line of its own`,
      );
    }
    if (length === counts.length) {
      const larger = new Float32Array(2 * length);
      larger.set(counts);
      counts = larger;
    }
    counts[length++] = count;
    if (length * 1000 > LONGEST_TRACE)
      throw failure(`${file}: has more than a year of seconds, expected a year at most`);
  }

  for await (const piece of readPieces(file)) {
    const lines = (rest + piece.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) line(rest);
    for (const text of lines) line(text);
  }
  if (rest.trim() !== '') line(rest);
  const trace = createTrace({ name: file }, counts.subarray(0, length));
  if (durationOf(trace) === 0)
    throw failure(`${file}: empty, expected the requests in each second, one number a line`);
  return { trace, remarks: [] };
}
