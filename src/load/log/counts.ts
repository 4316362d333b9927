import type { LogLine } from './line.ts';

/** How a request counts: as load, as one for the status page, or as one that does not match. */
export type Verdict = 'counts' | 'status' | 'other';

/** Decides which requests are load. */
export type RequestFilter = (line: LogLine) => Verdict;

const [SPACE, QUESTION, HASH, SLASH, COLON] = [32, 63, 35, 47, 58];
/** How much of a request is matched: a site's own addresses are shorter, a visitor's may have any length. */
const LONGEST_REQUEST = 2048;

/**
 * The one rule by which requests are counted, in the balancer and in `simulate`: those for the path of `server_status_url` are
 * left out, and where there is a `load_match`, those whose request line (`GET /gb2/gbrowse/yeast/ HTTP/1.1`) does not match.
 *
 * @param statusPath such as `/server-status`
 */
export function createRequestFilter(statusPath: string, match?: RegExp): RequestFilter {
  const path = Buffer.from(statusPath);
  return ({ bytes, request: { from, until } }) => {
    const target = pathFrom(bytes, from + methodLength(bytes, from, until), until);
    if (isPath(bytes, target, until, path)) return 'status';
    if (match === undefined) return 'counts';
    const text = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + from,
      Math.min(until - from, LONGEST_REQUEST),
    ).toString('latin1');
    return match.test(text) ? 'counts' : 'other';
  };
}

/** How long method and blank are; 0 where there is none. */
function methodLength(bytes: Uint8Array, from: number, until: number): number {
  for (let at = from; at < until && at < from + 20; at++) if (bytes[at] === SPACE) return at + 1 - from;
  return 0;
}

/** Where the path begins: behind `https://host`, which proxies and HTTP/2 put before it. */
function pathFrom(bytes: Uint8Array, from: number, until: number): number {
  if (bytes[from] === SLASH) return from;
  let at = from;
  while (at < until && at < from + 6 && bytes[at] !== COLON) at++;
  if (bytes[at] !== COLON || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return from;
  at += 3;
  while (at < until && bytes[at] !== SLASH && bytes[at] !== SPACE) at++;
  return at;
}

function isPath(bytes: Uint8Array, at: number, until: number, path: Buffer): boolean {
  if (at + path.length > until) return false;
  for (let index = path.length - 1; index >= 0; index--) if (bytes[at + index] !== path[index]) return false;
  const after = bytes[at + path.length];
  return at + path.length === until || after === SPACE || after === QUESTION || after === HASH;
}
