import { createTimeFinder } from './time.ts';

/** The content of a log line of JSON: a text line that it wraps, or the request; and the time (ms since 1970). */
type JsonLine = { readonly time?: number } & ({ readonly text: string } | { readonly request: string });

/** Names in lower case, without what is neither letter nor digit: `@timestamp`, `requestTime` and `request_time`. */
const TIMES =
  'time timestamp ts timelocal timeiso8601 datetime date requesttime starttime startutc asctime edgestarttimestamp eventtime msec realtimetimestamp t'.split(
    ' ',
  );
const REQUESTS = ['request', 'requestline', 'req', 'r'];
const METHODS = 'method requestmethod verb httpmethod httprequestmethod clientrequestmethod csmethod m'.split(
  ' ',
);
const PATHS =
  'path uri url requesturi requesturl requestpath httppath httpuri httpurl urlpath urloriginal resource resourcepath clientrequesturi csuristem request u'.split(
    ' ',
  );
/** Docker's json-file driver, journald, and others that wrap lines. */
const WRAPPED = ['log', 'message', 'msg'];
/** How deep nested objects are searched. */
const DEEPEST = 4;
/** Numbers are times from 1973 on (s): smaller ones say how long a request took. */
const EARLIEST = 1e8;

type Fields = ReadonlyMap<string, string | number>;

/**
 * Reads a line that holds one JSON object. Fields may stand in objects inside of it, as in `{"http": {"method": …}}`.
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
  const text = textIn(fields, WRAPPED);
  if (request === undefined && text === undefined) return undefined;
  const time = timeIn(fields);
  return {
    ...(request !== undefined ? { request } : { text: (text ?? '').trimEnd() }),
    ...(time !== undefined && { time }),
  };
}

/** The fields of an object and of those in it, by their own names and with those of the objects around them; outer ones win. */
function fieldsOf(object: unknown): Fields {
  const fields = new Map<string, string | number>();
  let level: readonly (readonly [prefix: string, object: unknown])[] = [['', object]];
  for (let depth = 0; depth < DEEPEST; depth++) {
    const entries = level.flatMap(([prefix, one]) =>
      typeof one === 'object' && one !== null && !Array.isArray(one)
        ? Object.entries(one).map(([key, value]) => [prefix, plain(key), value] as const)
        : [],
    );
    for (const [prefix, key, value] of entries) {
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      for (const name of [key, prefix + key]) if (!fields.has(name)) fields.set(name, value);
    }
    level = entries.map(([prefix, key, value]) => [prefix + key, value]);
  }
  return fields;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function textIn(fields: Fields, names: readonly string[]): string | undefined {
  return names
    .map(name => fields.get(name))
    .find(value => typeof value === 'string' && value !== '')
    ?.toString();
}

function requestOf(fields: Fields): string | undefined {
  const whole = textIn(fields, REQUESTS);
  if (whole !== undefined && /^\S+ \S/.test(whole)) return whole;
  const [method, path] = [textIn(fields, METHODS), textIn(fields, PATHS)];
  return method === undefined || path === undefined ? undefined : `${method} ${path}`;
}

function timeIn(fields: Fields): number | undefined {
  const [date, time] = [fields.get('date'), fields.get('time')];
  const both = typeof date === 'string' && typeof time === 'string' ? timeOf(`${date} ${time}`) : undefined;
  return both ?? TIMES.map(name => timeOf(fields.get(name))).find(at => at !== undefined);
}

const times = createTimeFinder();

/** Milliseconds since 1970: from a date with a clock, or from a number of seconds, milliseconds, microseconds or nanoseconds. */
function timeOf(value: string | number | undefined): number | undefined {
  if (typeof value === 'string' && !/^\d+(\.\d+)?$/.test(value)) {
    const bytes = Buffer.from(value);
    const found = { second: 0, begin: 0, end: 0, zone: 0 };
    if (times.find(bytes, 0, bytes.length, found)) return found.second * 1000;
    // Without a zone it would be taken for this machine's.
    const at = /:\d\d.*(Z|GMT|UTC|[+-]\d\d:?\d\d)/.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(at) ? undefined : at;
  }
  let at = Number(value ?? Number.NaN);
  if (!(at >= EARLIEST)) return undefined;
  if (at < 1e11) at *= 1000;
  while (at > 1e14) at /= 1000;
  return at;
}
