const [TAB, SPACE, QUOTE, STAR, SLASH, ZERO, NINE, BACKSLASH] = [9, 32, 34, 42, 47, 48, 57, 92];
const NAMES = ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'DELETE', 'PATCH', 'PROPFIND', 'CONNECT', 'TRACE'];
const METHODS = NAMES.map(it => Buffer.from(`${it} `));
const PROTOCOL = Buffer.from(' HTTP/');

/** Where the request line is in a line: from its method up to its end. */
export type RequestFound = { from: number; until: number };

/**
 * Finds the request between two places: a quoted one followed by a status (`"GET /path HTTP/1.1" 200`), else a method
 * and a path, quoted or not.
 *
 * @param into gets what was found
 */
export function findRequest(b: Uint8Array, from: number, end: number, into: RequestFound): boolean {
  let opening = -1;
  for (let at = from; at < end; at++) {
    if (b[at] !== QUOTE || isEscaped(b, at, from)) continue;
    if (opening >= 0 && isStatus(b, at + 1, end)) {
      [into.from, into.until] = [opening + 1, at];
      return true;
    }
    opening = at;
  }
  return findMethod(b, from, end, into);
}

/** Whether an odd number of backslashes stands before: Apache writes a backslash as two. */
function isEscaped(b: Uint8Array, at: number, from: number): boolean {
  let before = at;
  while (before > from && b[before - 1] === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

/** Whether blanks and a status of three digits stand here. */
function isStatus(b: Uint8Array, at: number, end: number): boolean {
  if (b[at] !== SPACE && b[at] !== TAB) return false;
  let place = at + 1;
  while (place < end && (b[place] === SPACE || b[place] === TAB)) place++;
  const first = b[place] ?? 0;
  return (
    first > ZERO && first <= NINE && isDigit(b[place + 1]) && isDigit(b[place + 2]) && !isDigit(b[place + 3])
  );
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function findMethod(b: Uint8Array, from: number, end: number, into: RequestFound): boolean {
  for (let at = from; at < end; at++) {
    const before = at === 0 ? SPACE : b[at - 1];
    const quoted = before === QUOTE;
    if (!quoted && before !== SPACE && before !== TAB && at !== from) continue;
    const method = METHODS.find(it => startsWith(b, at, end, it));
    if (method === undefined) continue;
    const path = at + method.length;
    // A path, `*`, or a whole address.
    if (b[path] !== SLASH && b[path] !== STAR && !isLetter(b[path])) continue;
    const until = quoted ? closingQuote(b, path, end) : unquotedEnd(b, path, end);
    if (until < 0) continue;
    [into.from, into.until] = [at, until];
    return true;
  }
  return false;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 97 && byte <= 122;
}

function startsWith(b: Uint8Array, at: number, end: number, text: Buffer): boolean {
  if (at + text.length > end) return false;
  for (let index = 0; index < text.length; index++) if (b[at + index] !== text[index]) return false;
  return true;
}

function closingQuote(b: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) if (b[at] === QUOTE && !isEscaped(b, at, from)) return at;
  return -1;
}

/** The end of the path, and of the protocol where one follows. */
function unquotedEnd(b: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && b[at] !== SPACE && b[at] !== TAB) at++;
  if (!startsWith(b, at, end, PROTOCOL)) return at;
  at += PROTOCOL.length;
  while (at < end && b[at] !== SPACE && b[at] !== TAB) at++;
  return at;
}

/** Separators of fields without blanks or quotes around them. */
const FIELD_ENDS = /[\s,;|"']+/;
const FIELD_NAME = /^[\w.-]+[=:](?!\/\/)/;

/**
 * The request of a line that has method and path in fields of their own, in any order: of CloudFront, of CSV, of LTSV
 * (`method:GET`), of logfmt (`method=GET`).
 *
 * @returns such as `GET /gb2/gbrowse/`
 */
export function requestOfFields(line: string): string | undefined {
  // A line that was cut off in its request is none.
  if ((line.split('"').length - 1) % 2 === 1) return undefined;
  const fields = line.split(FIELD_ENDS).map(field => field.replace(FIELD_NAME, ''));
  const at = fields.findIndex(field => NAMES.includes(field));
  if (at < 0) return undefined;
  const path = [...fields.slice(at + 1), ...fields.slice(0, at)].find(field =>
    /^(\/|https?:\/\/)/.test(field),
  );
  return path === undefined ? undefined : `${fields[at]} ${path}`;
}
