import { HOUR } from '../clock.ts';
import { failure } from '../errors.ts';
import { counted } from '../format/numbers.ts';
import { createTrace, LONGEST_TRACE, type Trace } from './trace.ts';

const CHUNK = 3600;
const MOST_CHUNKS = LONGEST_TRACE / 1000 / CHUNK;
/** There may be many wrong dates, but not in as many hours. */
const MOST_CHUNKS_KEPT = 2 * MOST_CHUNKS;
/** Requests further than this from all others may be strays … */
const GAP = (7 * 24 * HOUR) / 1000 / CHUNK;
/** … when they are a smaller part of all than this. */
const STRAY_PART = 0.01;

/** Counts requests by the second that they came in, in any order. */
export type SecondCounts = {
  /** A request in this second since 1970, on this line of a file. */
  add(second: number, file: string, line: number): void;
  /**
   * Everything from the first request to the last, without those whose dates are far from the others: the remarks say
   * what was left out.
   *
   * @throws {UserError} when there is no request, or when they lie more than a year apart
   */
  trace(name: string): { readonly trace: Trace; readonly remarks: readonly string[] };
};

type Chunk = {
  readonly hour: number;
  readonly counts: Uint32Array;
  readonly file: string;
  readonly line: number;
  readonly second: number;
};

/** Memory is taken by the hour in which there are requests: 14 kB each, a year of them 126 MB. */
export function createSecondCounts(): SecondCounts {
  const chunks = new Map<number, Chunk>();
  let lastHour = Number.NaN;
  let last: Uint32Array = new Uint32Array();

  function chunkOf(hour: number, second: number, file: string, line: number): Uint32Array {
    let chunk = chunks.get(hour);
    if (chunk === undefined) {
      if (chunks.size >= MOST_CHUNKS_KEPT) throw tooLong([...chunks.values()]);
      chunk = { hour, counts: new Uint32Array(CHUNK), file, line, second };
      chunks.set(hour, chunk);
    }
    [lastHour, last] = [hour, chunk.counts];
    return chunk.counts;
  }

  return {
    add(second, file, line) {
      const hour = Math.floor(second / CHUNK);
      const counts = hour === lastHour ? last : chunkOf(hour, second, file, line);
      const index = second - hour * CHUNK;
      counts[index] = (counts[index] ?? 0) + 1;
    },
    trace(name) {
      const groups = groupsOf([...chunks.values()].toSorted((a, b) => a.hour - b.hour));
      const { kept, strays } = withoutStrays(groups);
      const [first, end] = [kept[0], kept.at(-1)];
      if (first === undefined || end === undefined) throw failure(`${name}: it contains no request`);
      if (end.hour - first.hour >= MOST_CHUNKS) throw tooLong(kept);
      const from = first.hour * CHUNK + first.counts.findIndex(count => count > 0);
      const until = end.hour * CHUNK + end.counts.findLastIndex(count => count > 0) + 1;
      const counts = new Uint32Array((end.hour - first.hour + 1) * CHUNK);
      for (const { hour, counts: own } of kept) counts.set(own, (hour - first.hour) * CHUNK);
      const start = from - first.hour * CHUNK;
      return {
        trace: createTrace({ name, startedAt: from * 1000 }, counts.subarray(start, start + until - from)),
        remarks: strays.map(strayWords),
      };
    },
  };
}

type Group = { readonly chunks: readonly Chunk[]; readonly requests: number };

/** Hours that lie within a week of each other, the earliest first. */
function groupsOf(chunks: readonly Chunk[]): readonly Group[] {
  const groups: Chunk[][] = [];
  for (const chunk of chunks) {
    const group = groups.at(-1);
    if (group !== undefined && chunk.hour - (group.at(-1)?.hour ?? 0) <= GAP) group.push(chunk);
    else groups.push([chunk]);
  }
  return groups.map(group => ({
    chunks: group,
    requests: group.reduce((sum, { counts }) => counts.reduce((a, b) => a + b, sum), 0),
  }));
}

/**
 * What is replayed: the largest group (the latest of equal ones), and all others except strays. A group is a stray when
 * it is a small part of all, or when all would take more than a year with it.
 */
function withoutStrays(groups: readonly Group[]): {
  readonly kept: readonly Chunk[];
  readonly strays: readonly Group[];
} {
  const all = groups.reduce((sum, { requests }) => sum + requests, 0);
  const main = groups.toSorted((a, b) => b.requests - a.requests || hourOf(b) - hourOf(a))[0];
  if (main === undefined) return { kept: [], strays: [] };
  let kept = groups.filter(group => group === main || group.requests >= STRAY_PART * all);
  while (kept.length > 1 && tooFar(kept)) {
    // The end that lies further from the main group goes first.
    const [first, last] = [kept[0], kept.at(-1)];
    const dropsFirst =
      last === main ||
      (first !== main &&
        first !== undefined &&
        last !== undefined &&
        hourOf(main) - hourOf(first) >= hourOf(last) - hourOf(main));
    kept = dropsFirst ? kept.slice(1) : kept.slice(0, -1);
  }
  return {
    kept: kept.flatMap(({ chunks }) => chunks),
    strays: groups.filter(group => !kept.includes(group)),
  };
}

function hourOf({ chunks }: Group): number {
  return chunks[0]?.hour ?? 0;
}

function tooFar(groups: readonly Group[]): boolean {
  const all = groups.flatMap(({ chunks }) => chunks);
  return (all.at(-1)?.hour ?? 0) - (all[0]?.hour ?? 0) >= MOST_CHUNKS;
}

function strayWords({ chunks, requests }: Group): string {
  const [first] = chunks;
  if (first === undefined) return '';
  return `${first.file}:${first.line}: ${counted(requests, 'request')} of ${dateOf(first.second)}, far from all the others, left out`;
}

function dateOf(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 10);
}

function tooLong(chunks: readonly Chunk[]): Error {
  const seconds = chunks.map(({ second }) => second).toSorted((a, b) => a - b);
  return failure(
    `the requests lie more than a year apart (from ${dateOf(seconds[0] ?? 0)} to ${dateOf(seconds.at(-1) ?? 0)}): give logs of a year at most, and check them for a wrong date`,
  );
}
