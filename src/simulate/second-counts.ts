import { failure } from '../errors.ts';
import { createTrace, LONGEST_TRACE, type Trace } from './trace.ts';

const CHUNK = 3600;
const MOST_CHUNKS = LONGEST_TRACE / 1000 / CHUNK;

/** Counts requests by the second that they came in, in whatever order they are told of. */
export type SecondCounts = {
  /** A request in this second since 1970. */
  add(second: number): void;
  /**
   * Everything from the first request to the last.
   *
   * @throws {UserError} when there is none, or when they lie more than a year apart
   */
  trace(name: string): Trace;
};

/** Memory is taken by the hour in which there are requests: 14 kB each, a year of them 126 MB. */
export function createSecondCounts(): SecondCounts {
  const chunks = new Map<number, Uint32Array>();
  let lastHour = Number.NaN;
  let lastChunk: Uint32Array = new Uint32Array();

  function chunkOf(hour: number): Uint32Array {
    let chunk = chunks.get(hour);
    if (chunk === undefined) {
      if (chunks.size >= MOST_CHUNKS) throw tooLong([...chunks.keys()]);
      chunk = new Uint32Array(CHUNK);
      chunks.set(hour, chunk);
    }
    [lastHour, lastChunk] = [hour, chunk];
    return chunk;
  }

  return {
    add(second) {
      const hour = Math.floor(second / CHUNK);
      const chunk = hour === lastHour ? lastChunk : chunkOf(hour);
      const index = second - hour * CHUNK;
      chunk[index] = (chunk[index] ?? 0) + 1;
    },
    trace(name) {
      const hours = [...chunks.keys()].sort((a, b) => a - b);
      const [first, last] = [hours[0], hours.at(-1)];
      if (first === undefined || last === undefined) throw failure(`${name}: there is no request in it`);
      if (last - first >= MOST_CHUNKS) throw tooLong(hours);
      const from = first * CHUNK + (chunks.get(first)?.findIndex(count => count > 0) ?? 0);
      const until = last * CHUNK + (chunks.get(last)?.findLastIndex(count => count > 0) ?? 0) + 1;
      const counts = new Uint32Array((last - first + 1) * CHUNK);
      for (const [hour, chunk] of chunks) counts.set(chunk, (hour - first) * CHUNK);
      const start = from - first * CHUNK;
      return createTrace({ name, startedAt: from * 1000 }, counts.subarray(start, start + until - from));
    },
  };
}

function tooLong(hours: readonly number[]): Error {
  const [first = 0, last = 0] = hours
    .toSorted((a, b) => a - b)
    .filter((_, at, all) => at === 0 || at === all.length - 1);
  const day = (hour: number) => new Date(hour * CHUNK * 1000).toISOString().slice(0, 10);
  return failure(
    `the requests lie more than a year apart (from ${day(first)} to ${day(last)}): give logs of a year at most; is there a date in them that is wrong?`,
  );
}
