const [TAB, SPACE, PLUS, COMMA, MINUS, DOT, SLASH, ZERO, ONE, TWO, NINE, COLON, T, Z] = [
  9, 32, 43, 44, 45, 46, 47, 48, 49, 50, 57, 58, 84, 90,
];
const MONTHS = new Map(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ').map((name, month) => [packed(name), month]),
);

/** A time in a line: the second since 1970, where it begins and ends, and its zone (minutes east of UTC). */
export type TimeFound = { second: number; begin: number; end: number; zone: number };

/** Finds times in lines; it remembers the last day, which mostly is that of the next line too. */
type TimeFinder = {
  /**
   * Finds the first time between two places: `17/May/2015:10:05:03 +0000`, `2015-05-17T10:05:03.123+00:00`, `May 17
   * 10:05:03 2015`; where there is none, for a number of seconds (or of their thousandths and so on) since 1970. One
   * without a zone is taken for UTC.
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

  /** `17/May/2015:10:05:03`, with a day of so many digits; Python has a blank before the clock, Tomcat minus signs. */
  function dayFirst(b: Uint8Array, at: number, digits: 1 | 2, end: number, into: TimeFound): boolean {
    const month = at + digits + 1;
    const year = month + 4;
    if (b[year - 1] !== b[month - 1] || isDigit(b[at - 1])) return false;
    const between = b[year + 4];
    if (between !== COLON && between !== SPACE && between !== T) return false;
    const day = digits === 2 ? two(b, at) : (b[at] ?? 0) - ZERO;
    const start = dayStart(two(b, year) * 100 + two(b, year + 2), monthAt(b, month), day);
    return !Number.isNaN(start) && clockAt(b, year + 5, end, start, into);
  }

  /** `2015-05-17T10:05:03`; some write slashes, some have a tab before the clock. */
  function yearFirst(b: Uint8Array, at: number, end: number, into: TimeFound): boolean {
    if (b[at + 7] !== b[at + 4] || isDigit(b[at - 1])) return false;
    const between = b[at + 10];
    if (between !== T && between !== SPACE && between !== TAB) return false;
    const start = dayStart(two(b, at) * 100 + two(b, at + 2), two(b, at + 5) - 1, two(b, at + 8));
    return !Number.isNaN(start) && clockAt(b, at + 11, end, start, into);
  }

  /** `May 17 10:05:03.123 2015`, as ctime(3) writes it; syslog's has no year, and is none. */
  function monthFirst(b: Uint8Array, at: number, end: number, into: TimeFound): boolean {
    const month = monthAt(b, at);
    if (Number.isNaN(month) || b[at + 6] !== SPACE) return false;
    let year = at + 15;
    while (year < end && (b[year] === DOT || isDigit(b[year]))) year++;
    if (b[year] !== SPACE || year + 5 > end || isDigit(b[year + 5])) return false;
    const day = b[at + 4] === SPACE ? (b[at + 5] ?? 0) - ZERO : two(b, at + 4);
    const start = dayStart(two(b, year + 1) * 100 + two(b, year + 3), month, day);
    if (Number.isNaN(start) || !clockAt(b, at + 7, end, start, into)) return false;
    into.end = year + 5;
    return true;
  }

  return {
    find(b, from, end, into) {
      for (let at = from; at + 19 <= end; at++) {
        into.begin = at;
        if (isDateSign(b[at + 2])) {
          if (dayFirst(b, at, 2, end, into)) return true;
        } else if (isDateSign(b[at + 4])) {
          if (yearFirst(b, at, end, into)) return true;
        } else if (b[at + 3] === SPACE && monthFirst(b, at, end, into)) return true;
        if (b[at + 1] === SLASH && dayFirst(b, at, 1, end, into)) return true;
      }
      return findEpoch(b, from, end, into);
    },
  };
}

/** A number of ten digits (seconds since 1970, after 2001), perhaps with a fraction, or of 13, 16 or 19. */
function findEpoch(b: Uint8Array, from: number, end: number, into: TimeFound): boolean {
  for (let at = from; at + 10 <= end; at++) {
    if ((b[at] !== ONE && b[at] !== TWO) || (at > from && isOfWord(b[at - 1]))) continue;
    let until = at;
    while (until < end && isDigit(b[until])) until++;
    const digits = until - at;
    if (digits >= 10 && (digits - 10) % 3 === 0 && digits <= 19 && (until === end || !isOfNumber(b[until]))) {
      into.second = 0;
      for (let place = at; place < at + 10; place++) into.second = into.second * 10 + (b[place] ?? 0) - ZERO;
      if (b[until] === DOT) until++;
      while (until < end && isDigit(b[until])) until++;
      [into.begin, into.end, into.zone] = [at, until, 0];
      return true;
    }
    at = until;
  }
  return false;
}

/** Whether a number that stands behind this byte is part of a longer word, path or number. */
function isOfWord(byte: number | undefined): boolean {
  return isOfNumber(byte) || byte === DOT || byte === SLASH;
}

function isOfNumber(byte = 0): boolean {
  const letter = byte | 32;
  return isDigit(byte) || byte === MINUS || (letter >= 97 && letter <= 122);
}

function isDateSign(byte: number | undefined): boolean {
  return byte === SLASH || byte === MINUS;
}

function monthAt(b: Uint8Array, at: number): number {
  return MONTHS.get(((b[at] ?? 0) << 16) | ((b[at + 1] ?? 0) << 8) | (b[at + 2] ?? 0)) ?? Number.NaN;
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
