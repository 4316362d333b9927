import type { SecondCounts } from './second-counts.ts';

/** What was found in access logs. */
export type LogTally = {
  /** Requests that were counted. */
  requests: number;
  /** Lines of another form; blank ones are not counted. */
  bad: number;
  /** The number of the first of them, from 1; 0: there is none. */
  firstBad: number;
  /** Requests for `/server-status`, which are left out: the balancer does not count its own. */
  status: number;
  /** Minutes east of UTC in the first line. */
  zone?: number;
};

/** Apache cuts a request at 8 kB; what is longer by far is no line of a log. */
const LONGEST_LINE = 256 * 1024;

const [LF, SPACE, QUOTE, PLUS, MINUS, SLASH, ZERO, COLON, OPEN, CLOSE] = [
  10, 32, 34, 43, 45, 47, 48, 58, 91, 93,
];
const MONTHS = new Map(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ').map((name, month) => [packed(name), month]),
);
const STATUS = Buffer.from('"GET /server-status');

/** Takes the bytes of one log, in pieces of any size. */
export type LogScanner = { write(bytes: Buffer): void; end(): LogTally };

/**
 * Counts the requests of an access log in Apache's common or combined format (or anything that begins like them):
 * `HOST IDENT USER [17/May/2015:10:05:03 +0000] "REQUEST" STATUS …`. Works on bytes: a busy site's log has gigabytes.
 */
export function createLogScanner(counts: SecondCounts): LogScanner {
  const tally: LogTally = { requests: 0, bad: 0, firstBad: 0, status: 0 };
  let lines = 0;
  /** The start of a line whose end is still to come. */
  let rest = Buffer.alloc(0);
  let skipping = false;
  // The day of the line before, which mostly is that of this one too.
  let [lastDay, lastMonth, lastYear, midnight] = [-1, -1, -1, 0];

  function line(bytes: Buffer, from: number, until: number): void {
    lines++;
    let end = until;
    while (end > from && (bytes[end - 1] ?? 0) <= SPACE) end--;
    if (end === from) return;
    for (let at = from + 1; at < end; at++) {
      if (bytes[at] !== OPEN || bytes[at - 1] !== SPACE) continue;
      const second = timeAt(bytes, at + 1, end);
      if (Number.isNaN(second) || !isRequest(bytes, at + 28, end)) continue;
      if (isStatusRequest(bytes, at + 29)) {
        tally.status++;
        return;
      }
      tally.requests++;
      counts.add(second);
      return;
    }
    tally.bad++;
    if (tally.firstBad === 0) tally.firstBad = lines;
  }

  /** The second since 1970 that is written at `at`, `17/May/2015:10:05:03 +0000]`; NaN where none is. */
  function timeAt(b: Buffer, at: number, end: number): number {
    if (at + 27 > end || b[at + 26] !== CLOSE || b[at + 2] !== SLASH || b[at + 6] !== SLASH)
      return Number.NaN;
    if (b[at + 11] !== COLON || b[at + 14] !== COLON || b[at + 17] !== COLON || b[at + 20] !== SPACE)
      return Number.NaN;
    const sign = b[at + 21] === PLUS ? 1 : b[at + 21] === MINUS ? -1 : 0;
    const [day, century, years] = [two(b, at), two(b, at + 7), two(b, at + 9)];
    const [hours, minutes, seconds] = [two(b, at + 12), two(b, at + 15), two(b, at + 18)];
    const [zoneHours, zoneMinutes] = [two(b, at + 22), two(b, at + 24)];
    // What is no digit makes a NaN, which is not in any range.
    const good =
      hours < 24 && minutes < 60 && seconds <= 60 && zoneHours < 24 && zoneMinutes < 60 && sign !== 0;
    if (!good) return Number.NaN;
    const month = ((b[at + 3] ?? 0) << 16) | ((b[at + 4] ?? 0) << 8) | (b[at + 5] ?? 0);
    const year = century * 100 + years;
    if (day !== lastDay || month !== lastMonth || year !== lastYear) {
      const start = midnightOf(year, MONTHS.get(month) ?? Number.NaN, day);
      if (Number.isNaN(start)) return Number.NaN;
      [lastDay, lastMonth, lastYear, midnight] = [day, month, year, start];
    }
    const zone = sign * (zoneHours * 60 + zoneMinutes);
    tally.zone ??= zone;
    return midnight + hours * 3600 + minutes * 60 + Math.min(seconds, 59) - zone * 60;
  }

  return {
    write(bytes) {
      let from = 0;
      if (skipping || rest.length > 0) {
        const end = bytes.indexOf(LF);
        if (end < 0) {
          keep(bytes);
          return;
        }
        if (!skipping) {
          const whole = Buffer.concat([rest, bytes.subarray(0, end)]);
          line(whole, 0, whole.length);
        }
        [skipping, rest, from] = [false, Buffer.alloc(0), end + 1];
      }
      for (;;) {
        const end = bytes.indexOf(LF, from);
        if (end < 0) break;
        line(bytes, from, end);
        from = end + 1;
      }
      // A copy: whoever gave the bytes may use their place again.
      if (from < bytes.length) keep(bytes.subarray(from));
    },
    end() {
      if (rest.length > 0) line(rest, 0, rest.length);
      return tally;
    },
  };

  function keep(bytes: Buffer): void {
    if (skipping) return;
    rest = Buffer.concat([rest, bytes]);
    if (rest.length <= LONGEST_LINE) return;
    [skipping, rest] = [true, Buffer.alloc(0)];
    lines++;
    tally.bad++;
    if (tally.firstBad === 0) tally.firstBad = lines;
  }
}

/** Two digits as a number; NaN where there is something else. */
function two(bytes: Buffer, at: number): number {
  const [tens, ones] = [(bytes[at] ?? 0) - ZERO, (bytes[at + 1] ?? 0) - ZERO];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** The second since 1970 that a day begins with, in UTC; NaN for a day that there is not. */
function midnightOf(year: number, month: number, day: number): number {
  const date = new Date(Date.UTC(year, month, day));
  return date.getUTCDate() === day && date.getUTCFullYear() === year ? date.getTime() / 1000 : Number.NaN;
}

/** Whether `"REQUEST" STATUS` stands here, after a blank. */
function isRequest(bytes: Buffer, at: number, end: number): boolean {
  if (bytes[at] !== SPACE || bytes[at + 1] !== QUOTE) return false;
  for (let quote = at + 2; quote + 4 < end; quote++) {
    if (bytes[quote] !== QUOTE || bytes[quote + 1] !== SPACE) continue;
    const first = (bytes[quote + 2] ?? 0) - ZERO;
    if (first >= 1 && first <= 9 && !Number.isNaN(two(bytes, quote + 3))) return true;
  }
  return false;
}

function isStatusRequest(bytes: Buffer, at: number): boolean {
  // Mostly the eighth byte decides.
  if (bytes[at + 7] !== STATUS[7]) return false;
  return bytes.subarray(at, at + STATUS.length).equals(STATUS);
}

function packed(month: string): number {
  return (month.charCodeAt(0) << 16) | (month.charCodeAt(1) << 8) | month.charCodeAt(2);
}
