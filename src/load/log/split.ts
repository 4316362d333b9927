/** Apache cuts a request at 8 kB; a much longer line is not from a log. */
const LONGEST_LINE = 256 * 1024;
const LINE_FEED = 10;
const BLANK = 32;

/** Turns bytes in pieces of any size into lines. */
export type LineSplitter = {
  write(bytes: Uint8Array): void;
  /** The last line may have no line end. */
  end(): void;
  /** Forgets the line that has begun. */
  reset(): void;
};

/**
 * Splits bytes into lines; blank ones are passed over, and of one that is too long only its end is waited for.
 *
 * @param onLine gets a line without blanks (and NULs) at its ends, as a part of `bytes` that holds only during the call
 * @param onTooLong called for a line that is too long
 */
export function createLineSplitter(
  onLine: (bytes: Uint8Array, from: number, until: number) => void,
  onTooLong: () => void = () => {},
  onBlank: () => void = () => {},
): LineSplitter {
  /** The start of a line whose end is still to come. */
  let rest: Uint8Array = new Uint8Array();
  let skipping = false;

  function line(bytes: Uint8Array, from: number, until: number): void {
    let end = until;
    while (end > from && (bytes[end - 1] ?? 0) <= BLANK) end--;
    const start = skipBlanks(bytes, from, end);
    if (end === start) onBlank();
    else if (end - start > LONGEST_LINE) onTooLong();
    else onLine(bytes, start, end);
  }

  function keep(bytes: Uint8Array): void {
    if (skipping) return;
    // A log that was cut while it was written may begin with megabytes of NUL.
    const start = rest.length > 0 ? 0 : skipBlanks(bytes, 0, bytes.length);
    // A copy: the caller may reuse the buffer.
    rest = Buffer.concat([rest, bytes.subarray(start)]);
    if (rest.length <= LONGEST_LINE) return;
    [skipping, rest] = [true, new Uint8Array()];
    onTooLong();
  }

  return {
    write(bytes) {
      let from = 0;
      if (skipping || rest.length > 0) {
        const end = bytes.indexOf(LINE_FEED);
        if (end < 0) {
          keep(bytes);
          return;
        }
        if (!skipping) {
          const whole = Buffer.concat([rest, bytes.subarray(0, end)]);
          line(whole, 0, whole.length);
        }
        [skipping, rest, from] = [false, new Uint8Array(), end + 1];
      }
      for (;;) {
        const end = bytes.indexOf(LINE_FEED, from);
        if (end < 0) break;
        line(bytes, from, end);
        from = end + 1;
      }
      if (from < bytes.length) keep(bytes.subarray(from));
    },
    end() {
      if (rest.length > 0) line(rest, 0, rest.length);
      rest = new Uint8Array();
    },
    reset() {
      [rest, skipping] = [new Uint8Array(), false];
    },
  };
}

/** The first place that has no blank, nor a byte below it. */
export function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) <= BLANK) at++;
  return at;
}
