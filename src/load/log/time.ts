const [SPACE, PLUS, COMMA, MINUS, DOT, SLASH, ZERO, NINE, COLON, T, Z] = [
  32, 43, 44, 45, 46, 47, 48, 57, 58, 84, 90,
];
const MONTHS = new Map(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ').map((name, month) => [packed(name), month]),
);

/** A time in a line: the second since 1970, where it ends, and its zone (minutes east of UTC). */
export type TimeFound = { second: number; end: number; zone: number };

/** Finds times in lines; it remembers the last day, which mostly is that of the next line too. */
export type TimeFinder = {
  /**
   * Looks for the first time between two places: `17/May/2015:10:05:03 +0000` or `2015-05-17T10:05:03.123+00:00`. One without
   * a zone is taken for UTC.
   *
   * @param into gets what was found
   */
  find(bytes: Uint8Array, from: number, end: number, into: TimeFound): boolean;
};

export function createTimeFinder(): TimeFinder {
  let [lastDay, lastMonth, lastYear, midnight] = [-1, -1, -1, 0];

  function dayStart(year: number, month: number, day: number): number {
    if (day !== lastDay || month !== lastMonth || year !== lastYear) {
      const start = midnightOf(year, month, day);
      if (Number.isNaN(start)) return start;
      [lastDay, lastMonth, lastYear, midnight] = [day, month, year, start];
    }
    return midnight;
  }

  /** `10:05:03`, with a fraction perhaps, and a zone; the day begins at `start`. */
  function clockAt(b: Uint8Array, at: number, end: number, start: number, into: TimeFound): boolean {
    if (at + 8 > end || b[at + 2] !== COLON || b[at + 5] !== COLON) return false;
    const [hours, minutes, seconds] = [two(b, at), two(b, at + 3), two(b, at + 6)];
    // What is no digit makes a NaN, which is not in any range.
    if (!(hours < 24 && minutes < 60 && seconds <= 60)) return false;
    let place = at + 8;
    if (b[place] === DOT || b[place] === COMMA) {
      place++;
      while (place < end && isDigit(b[place])) place++;
    }
    into.zone = 0;
    const sign = b[place] === SPACE ? place + 1 : place;
    if (b[place] === Z) place++;
    else if (b[sign] === PLUS || b[sign] === MINUS) {
      const colon = b[sign + 3] === COLON ? 1 : 0;
      const [zoneHours, zoneMinutes] = [two(b, sign + 1), two(b, sign + 3 + colon)];
      if (zoneHours < 24 && zoneMinutes < 60) {
        into.zone = (b[sign] === PLUS ? 1 : -1) * (zoneHours * 60 + zoneMinutes);
        place = sign + 5 + colon;
      }
    }
    into.end = place;
    into.second = start + hours * 3600 + minutes * 60 + Math.min(seconds, 59) - into.zone * 60;
    return true;
  }

  return {
    find(b, from, end, into) {
      for (let at = from; at + 19 <= end; at++) {
        if (b[at + 2] === SLASH) {
          if (b[at + 6] !== SLASH || b[at + 11] !== COLON || isDigit(b[at - 1])) continue;
          const month = ((b[at + 3] ?? 0) << 16) | ((b[at + 4] ?? 0) << 8) | (b[at + 5] ?? 0);
          const year = two(b, at + 7) * 100 + two(b, at + 9);
          const start = dayStart(year, MONTHS.get(month) ?? Number.NaN, two(b, at));
          if (!Number.isNaN(start) && clockAt(b, at + 12, end, start, into)) return true;
        } else if (b[at + 4] === MINUS) {
          if (b[at + 7] !== MINUS || (b[at + 10] !== T && b[at + 10] !== SPACE) || isDigit(b[at - 1]))
            continue;
          const year = two(b, at) * 100 + two(b, at + 2);
          const start = dayStart(year, two(b, at + 5) - 1, two(b, at + 8));
          if (!Number.isNaN(start) && clockAt(b, at + 11, end, start, into)) return true;
        }
      }
      return false;
    },
  };
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Two digits as a number; NaN where there is something else. */
function two(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [(bytes[at] ?? 0) - ZERO, (bytes[at + 1] ?? 0) - ZERO];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** The second since 1970 that a day begins with, in UTC; NaN for a day that there is not. */
function midnightOf(year: number, month: number, day: number): number {
  const date = new Date(Date.UTC(year, month, day));
  return date.getUTCDate() === day && date.getUTCFullYear() === year ? date.getTime() / 1000 : Number.NaN;
}

function packed(month: string): number {
  return (month.charCodeAt(0) << 16) | (month.charCodeAt(1) << 8) | month.charCodeAt(2);
}
