/** What a log line of JSON says: a text line that it wraps, or the time and the request. */
export type JsonLine = { readonly text: string } | { readonly time?: number; readonly request: string };

const TIMES = [
  'time',
  '@timestamp',
  'timestamp',
  'ts',
  'time_local',
  'time_iso8601',
  'datetime',
  'date',
  'requestTime',
  'start_time',
  'asctime',
  't',
];
const REQUESTS = ['request', 'requestLine', 'request_line', 'req', 'r'];
const METHODS = ['method', 'request_method', 'requestMethod', 'verb', 'http_method', 'm'];
const PATHS = [
  'path',
  'uri',
  'url',
  'request_uri',
  'requestUri',
  'requestURI',
  'request_path',
  'http_path',
  'resource',
  'U',
];
/** Docker's json-file driver, and others that wrap lines. */
const WRAPPED = ['log', 'message', 'msg'];

/**
 * Reads a line that holds one JSON object. Fields may stand in an object inside of it, as in `{"http": {"method": …}}`.
 *
 * @returns undefined when it is no such line
 */
export function readJsonLine(line: string): JsonLine | undefined {
  let object: unknown;
  try {
    object = JSON.parse(line);
  } catch {
    return undefined;
  }
  const fields = fieldsOf(object);
  const request = requestOf(fields);
  if (request !== undefined) {
    const time = timeOf(first(fields, TIMES));
    return { request, ...(time !== undefined && { time }) };
  }
  const text = first(fields, WRAPPED);
  return typeof text === 'string' ? { text: text.trimEnd() } : undefined;
}

/** The fields of an object and of those directly in it; the outer ones count. */
function fieldsOf(object: unknown): ReadonlyMap<string, unknown> {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return new Map();
  const own = Object.entries(object);
  const inner = own.flatMap(([, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [],
  );
  return new Map([...inner, ...own]);
}

function first(fields: ReadonlyMap<string, unknown>, names: readonly string[]): unknown {
  const name = names.find(it => fields.has(it));
  return name === undefined ? undefined : fields.get(name);
}

function requestOf(fields: ReadonlyMap<string, unknown>): string | undefined {
  const whole = first(fields, REQUESTS);
  if (typeof whole === 'string' && /^\S+ \S/.test(whole)) return whole;
  const [method, path] = [first(fields, METHODS), first(fields, PATHS)];
  return typeof method === 'string' && typeof path === 'string' && method !== '' && path !== ''
    ? `${method} ${path}`
    : undefined;
}

/** Milliseconds since 1970: from ISO 8601, or from a number of seconds, milliseconds, microseconds or nanoseconds. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'string' && !/^\d+(\.\d+)?$/.test(value)) {
    const at = Date.parse(value);
    return Number.isNaN(at) ? undefined : at;
  }
  let at = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (!(at > 0)) return undefined;
  if (at < 1e11) at *= 1000;
  while (at > 1e14) at /= 1000;
  return at;
}
