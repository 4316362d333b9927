import { readJsonLine } from './json-line.ts';
import { findRequest, type RequestFound, requestOfFields } from './request.ts';
import { skipBlanks } from './split.ts';
import { createTimeFinder, type TimeFound } from './time.ts';

/** What a line of an access log says. It is the reader's own, and holds until the next line. */
export type LogLine = TimeFound & {
  /** The request line, `GET /path HTTP/1.1`: these bytes … */
  bytes: Uint8Array;
  /** … from here to there. */
  readonly request: RequestFound;
};

/**
 * Reads lines of access logs: Apache's formats and variants of them, with fields in any order, and lines of JSON. Works
 * on bytes: a busy site's log has gigabytes.
 */
type LineReader = {
  /** @returns undefined when the line has no time or no request */
  read(bytes: Uint8Array, from: number, end: number): LogLine | undefined;
  /** Only the request, whose time is that of its arrival. */
  readRequest(bytes: Uint8Array, from: number, end: number): LogLine | undefined;
};

const OPENING_BRACE = 123;

export function createLineReader(): LineReader {
  const times = createTimeFinder();
  const line: LogLine = {
    second: 0,
    begin: 0,
    end: 0,
    zone: 0,
    bytes: new Uint8Array(),
    request: { from: 0, until: 0 },
  };

  /** The request behind a place, mostly that of the time; else anywhere in the line. */
  function hasRequest(bytes: Uint8Array, from: number, behind: number, end: number): boolean {
    line.bytes = bytes;
    if (findRequest(bytes, behind, end, line.request) || findRequest(bytes, from, end, line.request))
      return true;
    const request = requestOfFields(Buffer.from(bytes.subarray(from, end)).toString('latin1'));
    if (request !== undefined) take(request, 'latin1');
    return request !== undefined;
  }

  function take(request: string, encoding: 'latin1' | 'utf8'): void {
    line.bytes = Buffer.from(request, encoding);
    [line.request.from, line.request.until] = [0, line.bytes.length];
  }

  function readText(bytes: Uint8Array, from: number, end: number): LogLine | undefined {
    if (!times.find(bytes, from, end, line) || !hasRequest(bytes, from, line.end, end)) return undefined;
    const { begin, request } = line;
    // A date in the path is not the time of a line that ends in one.
    if (line.bytes === bytes && begin >= request.from && begin < request.until) {
      const [second, zone] = [line.second, line.zone];
      if (!times.find(bytes, request.until, end, line)) [line.second, line.zone] = [second, zone];
    }
    return line;
  }

  function readRequestText(bytes: Uint8Array, from: number, end: number): LogLine | undefined {
    const behind = times.find(bytes, from, end, line) ? line.end : from;
    return hasRequest(bytes, from, behind, end) ? line : undefined;
  }

  /** @returns undefined when the object does not have both, or when it is none */
  function readJson(bytes: Uint8Array, from: number, end: number, needsTime: boolean): LogLine | undefined {
    const said = readJsonLine(Buffer.from(bytes.subarray(from, end)).toString());
    if (said === undefined) return undefined;
    const { time } = said;
    if ('text' in said) {
      const inner = Buffer.from(said.text);
      const start = skipBlanks(inner, 0, inner.length);
      const found = needsTime ? readText(inner, start, inner.length) : undefined;
      if (found !== undefined) return found;
      if ((needsTime && time === undefined) || readRequestText(inner, start, inner.length) === undefined)
        return undefined;
    } else take(said.request, 'utf8');
    if (time !== undefined) [line.second, line.zone] = [Math.floor(time / 1000), 0];
    // A time in a field of another name.
    return !needsTime || time !== undefined || times.find(bytes, from, end, line) ? line : undefined;
  }

  function read(bytes: Uint8Array, from: number, end: number): LogLine | undefined {
    const start = skipBlanks(bytes, from, end);
    const json = bytes[start] === OPENING_BRACE ? readJson(bytes, start, end, true) : undefined;
    return json ?? readText(bytes, start, end);
  }

  function readRequest(bytes: Uint8Array, from: number, end: number): LogLine | undefined {
    const start = skipBlanks(bytes, from, end);
    const json = bytes[start] === OPENING_BRACE ? readJson(bytes, start, end, false) : undefined;
    return json ?? readRequestText(bytes, start, end);
  }

  return { read, readRequest };
}
