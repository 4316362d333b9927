import { readJsonLine } from './json-line.ts';
import { findRequest, type RequestFound } from './request.ts';
import { createTimeFinder, type TimeFound } from './time.ts';

/** What a line of an access log says. It is the reader's own, and holds until the next line. */
export type LogLine = TimeFound & {
  /** The request line, `GET /path HTTP/1.1`: these bytes … */
  bytes: Uint8Array;
  /** … from here to there. */
  readonly request: RequestFound;
};

/**
 * Reads lines of access logs: Apache's formats and what people have made of them, in any order of fields, and lines of JSON.
 * Works on bytes: a busy site's log has gigabytes.
 */
export type LineReader = {
  /** @returns undefined when the line has no time or no request */
  read(bytes: Uint8Array, from: number, end: number): LogLine | undefined;
  /** Only the request, whose time is that of its arrival. */
  readRequest(bytes: Uint8Array, from: number, end: number): LogLine | undefined;
};

const [BLANK, OPENING_BRACE] = [32, 123];

export function createLineReader(): LineReader {
  const times = createTimeFinder();
  const line: LogLine = {
    second: 0,
    end: 0,
    zone: 0,
    bytes: new Uint8Array(),
    request: { from: 0, until: 0 },
  };

  function readText(bytes: Uint8Array, from: number, end: number): LogLine | undefined {
    if (!times.find(bytes, from, end, line)) return undefined;
    line.bytes = bytes;
    // Mostly the request stands behind its time.
    const found =
      findRequest(bytes, line.end, end, line.request) || findRequest(bytes, from, end, line.request);
    return found ? line : undefined;
  }

  function readJson(text: string, needsTime: boolean): LogLine | undefined {
    const said = readJsonLine(text);
    if (said === undefined) return undefined;
    if ('text' in said) {
      const inner = Buffer.from(said.text);
      return needsTime ? read(inner, 0, inner.length, false) : readRequest(inner, 0, inner.length, false);
    }
    line.bytes = Buffer.from(said.request);
    [line.request.from, line.request.until] = [0, line.bytes.length];
    if (said.time !== undefined) {
      [line.second, line.zone] = [Math.floor(said.time / 1000), 0];
      return line;
    }
    // Apache's own form of a time in a field.
    const whole = Buffer.from(text);
    return !needsTime || times.find(whole, 0, whole.length, line) ? line : undefined;
  }

  function read(bytes: Uint8Array, from: number, end: number, mayBeJson = true): LogLine | undefined {
    const start = skipBlanks(bytes, from, end);
    if (mayBeJson && bytes[start] === OPENING_BRACE)
      return readJson(Buffer.from(bytes.subarray(start, end)).toString(), true);
    return readText(bytes, start, end);
  }

  function readRequest(bytes: Uint8Array, from: number, end: number, mayBeJson = true): LogLine | undefined {
    const start = skipBlanks(bytes, from, end);
    if (mayBeJson && bytes[start] === OPENING_BRACE)
      return readJson(Buffer.from(bytes.subarray(start, end)).toString(), false);
    line.bytes = bytes;
    const after = times.find(bytes, start, end, line) ? line.end : start;
    const found =
      findRequest(bytes, after, end, line.request) || findRequest(bytes, start, end, line.request);
    return found ? line : undefined;
  }

  return { read, readRequest };
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) <= BLANK) at++;
  return at;
}
