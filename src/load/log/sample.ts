import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createRequestFilter } from './counts.ts';
import { createLineReader } from './line.ts';
import { createLineSplitter } from './split.ts';

/** What the last lines of an access log contain. */
export type LogSample = {
  readonly lines: number;
  /** Lines with a request in them. */
  readonly requests: number;
  /** Requests for the status page. */
  readonly status: number;
  /** Requests that count as load. */
  readonly counted: number;
  /** The last request that does not count, as an example. */
  readonly example?: string;
  /** Wall clock ms of the last change. */
  readonly changedAt: number;
};

const SAMPLE = 1024 * 1024;
const LONGEST_EXAMPLE = 100;

/**
 * Reads the end of an access log by the rule that the balancer counts by.
 *
 * @throws what opening and reading throw, and an `Error` when it is not a regular file
 */
export async function sampleLog(file: string, statusPath: string, match?: RegExp): Promise<LogSample> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    const from = Math.max(0, stats.size - SAMPLE);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE), 0, SAMPLE, from);
    const reader = createLineReader();
    const verdictOf = createRequestFilter(statusPath, match);
    const sum = { lines: 0, requests: 0, status: 0, counted: 0 };
    let example: string | undefined;
    // The first line is cut where the file is longer.
    let isCut = from > 0;
    const splitter = createLineSplitter((bytes, start, end) => {
      if (isCut) {
        isCut = false;
        return;
      }
      sum.lines++;
      const line = reader.readRequest(bytes, start, end);
      if (line === undefined) return;
      sum.requests++;
      const verdict = verdictOf(line);
      if (verdict === 'counts') sum.counted++;
      else if (verdict === 'status') sum.status++;
      else {
        const until = Math.min(line.request.until, line.request.from + LONGEST_EXAMPLE);
        example = Buffer.from(line.bytes.subarray(line.request.from, until)).toString('latin1');
      }
    });
    splitter.write(buffer.subarray(0, bytesRead));
    splitter.end();
    return { ...sum, ...(example !== undefined && { example }), changedAt: stats.mtimeMs };
  } finally {
    await handle.close();
  }
}
