import type { RequestFilter } from '../load/log/counts.ts';
import { createLineReader } from '../load/log/line.ts';
import { createLineSplitter } from '../load/log/split.ts';
import type { SecondCounts } from './second-counts.ts';

/** What was found in an access log. */
export type LogTally = {
  /** Requests that were counted. */
  requests: number;
  /** Lines without a time or a request; blank ones and comments are not counted. */
  bad: number;
  /** The number of the first of them, from 1; 0: there is none. */
  firstBad: number;
  /** The beginning of that line. */
  firstBadText: string;
  /** Requests for the status page, which are left out: the balancer does not count its own. */
  status: number;
  /** Requests that `load_match` leaves out. */
  other: number;
  /** Minutes east of UTC in the first line. */
  zone?: number;
};

/** How much of a bad line is shown. */
const SHOWN = 160;
const HASH = 35;

/** Takes the bytes of one log, in pieces of any size. */
type LogScanner = { write(bytes: Uint8Array): void; end(): LogTally };

/** Counts the requests of an access log by the second in its lines. */
export function createLogScanner(file: string, counts: SecondCounts, verdictOf: RequestFilter): LogScanner {
  const tally: LogTally = { requests: 0, bad: 0, firstBad: 0, firstBadText: '', status: 0, other: 0 };
  const reader = createLineReader();
  let lines = 0;

  function bad(text: string): void {
    tally.bad++;
    if (tally.firstBad === 0) [tally.firstBad, tally.firstBadText] = [lines, text];
  }

  const splitter = createLineSplitter(
    (bytes, from, until) => {
      lines++;
      // What IIS and CloudFront say about the fields.
      if (bytes[from] === HASH) return;
      const line = reader.read(bytes, from, until);
      if (line === undefined) {
        bad(Buffer.from(bytes.subarray(from, Math.min(until, from + SHOWN))).toString());
        return;
      }
      const verdict = verdictOf(line);
      if (verdict !== 'counts') {
        tally[verdict]++;
        return;
      }
      tally.zone ??= line.zone;
      tally.requests++;
      counts.add(line.second, file, lines);
    },
    () => {
      lines++;
      bad('(a line of more than 256 KiB)');
    },
    () => {
      lines++;
    },
  );
  return {
    write: splitter.write,
    end() {
      splitter.end();
      return tally;
    },
  };
}
