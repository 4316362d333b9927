import { failure, isUserError, messageOf } from '../errors.ts';
import { readPieces } from './files.ts';
import { createMarket, type Market, type PriceSteps } from './market.ts';
import { durationOf, type Trace } from './trace.ts';

/** Some weeks of every type of a region. */
const MOST_BYTES = 256 * 1024 * 1024;

type Record_ = {
  readonly pool: string;
  readonly type: string;
  readonly at: number;
  readonly price: number;
  /** `Linux/UNIX`, `Windows` and others; empty where the file does not say. */
  readonly product: string;
};

/** A market with the prices of a history, and a sentence about how they are mapped to the trace. */
type PricedMarket = { readonly market: Market; readonly about: string };

/**
 * Reads what `aws ec2 describe-spot-price-history` prints.
 *
 * @throws {UserError} when it cannot be read, is something else, or has no price that fits
 */
export async function readPriceHistory(
  file: string,
  trace: Trace,
  wanted: { readonly instanceTypes?: readonly string[]; readonly availabilityZone?: string },
): Promise<PricedMarket> {
  const { linux, others } = parsePriceHistory(file, await textOf(file));
  const { availabilityZone: zone, instanceTypes: types } = wanted;
  // A file may have the ids of zones (usw2-az1) instead of their names, which differ from account to account.
  const hasNames = linux.some(({ pool }) => !/ \w+-az\d+$/.test(pool));
  const inZone = (it: Record_) => zone === undefined || !hasNames || it.pool.endsWith(` ${zone}`);
  const fits = (it: Record_) => types?.includes(it.type) ?? true;
  const fitting = linux.filter(it => inZone(it) && fits(it));
  if (fitting.length === 0) {
    const place = zone === undefined ? '' : ` in ${zone}`;
    throw failure(
      `${file}: has no Linux price of ${types?.join(' or ') ?? 'any type'}${place}; it has ${whatItHas(linux, others)}`,
    );
  }
  const about = laidOn(trace, fitting);
  return zone !== undefined && !hasNames
    ? {
        ...about,
        about: `${about.about} (the file has only zone ids, so ${zone} cannot be told from the others)`,
      }
    : about;
}

/** The prices in the JSON text, in any order: of Linux, and how many there are of others. */
export function parsePriceHistory(
  file: string,
  text: string,
): { readonly linux: readonly Record_[]; readonly others: readonly Record_[] } {
  const wrong = (why: string) =>
    failure(`${file}: ${why}, expected what "aws ec2 describe-spot-price-history --output json" prints`);
  if (text.trim() === '') throw wrong('is empty');
  // Pages may stand in a list, and entries behind each other.
  const documents = documentsIn(text, wrong);
  if (documents.some(it => !Array.isArray(it) && !hasList(it) && !isEntry(it)))
    throw wrong('has no SpotPriceHistory');
  const entries = documents.flat().flatMap(it => (hasList(it) ? member(it, 'SpotPriceHistory') : [it]));
  const records = entries.map((entry, index) => {
    const record = recordOf(entry);
    if (record !== undefined) return record;
    throw wrong(
      `entry ${index + 1} lacks InstanceType, AvailabilityZone (or AvailabilityZoneId), SpotPrice or Timestamp, or one of them is invalid`,
    );
  });
  return {
    linux: records.filter(({ product }) => product === '' || product.startsWith('Linux/UNIX')),
    others: records.filter(({ product }) => product !== '' && !product.startsWith('Linux/UNIX')),
  };
}

function hasList(document: unknown): boolean {
  return Array.isArray(member(document, 'SpotPriceHistory'));
}

function isEntry(document: unknown): boolean {
  return member(document, 'InstanceType') !== undefined;
}

function recordOf(entry: unknown): Record_ | undefined {
  const [type, zoneName, zoneId, product, price, time] = [
    'InstanceType',
    'AvailabilityZone',
    'AvailabilityZoneId',
    'ProductDescription',
    'SpotPrice',
    'Timestamp',
  ].map(name => member(entry, name));
  const zone = zoneName ?? zoneId;
  const at = timeOf(time);
  const isNumber = typeof price === 'number' || (typeof price === 'string' && price.trim() !== '');
  const dollars = isNumber ? Number(price) : Number.NaN;
  if (typeof type !== 'string' || typeof zone !== 'string' || Number.isNaN(at)) return undefined;
  if (!(dollars > 0 && dollars < 1e6)) return undefined;
  return {
    pool: `${type} ${zone}`,
    type,
    at,
    price: dollars,
    product: typeof product === 'string' ? product : '',
  };
}

/** Milliseconds since 1970, of ISO 8601, or of seconds or milliseconds, as some SDKs write them; else NaN. */
function timeOf(time: unknown): number {
  if (typeof time === 'string') return Date.parse(time);
  if (typeof time !== 'number' || !(time > 0 && time < 1e14)) return Number.NaN;
  return time < 1e11 ? time * 1000 : time;
}

/** The JSON documents of a text: one, or several behind each other, as pages that were put together. */
function documentsIn(text: string, wrong: (why: string) => Error): readonly unknown[] {
  try {
    return [JSON.parse(text)];
  } catch (error) {
    const starts = pagesOf(text);
    if (starts.length < 2) throw wrong(`not JSON (${messageOf(error)})`);
    return starts.map(page => {
      try {
        return JSON.parse(page);
      } catch (bad) {
        throw wrong(`not JSON (${messageOf(bad)})`);
      }
    });
  }
}

/** Splits where brackets are balanced, those in strings apart. */
function pagesOf(text: string): readonly string[] {
  const pages: string[] = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*(?:"|$)|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') {
      depth--;
      if (depth > 0) continue;
      pages.push(text.slice(start, index + 1));
      start = index + 1;
    }
  }
  if (text.slice(start).trim() !== '') pages.push(text.slice(start));
  return pages;
}

/** `only Windows prices of m5.large`, `m4.large, c5.large`. */
function whatItHas(linux: readonly Record_[], others: readonly Record_[]): string {
  const list = (names: readonly string[]) => [...new Set(names)].slice(0, 10).join(', ');
  if (linux.length > 0) return list(linux.map(({ pool }) => pool));
  if (others.length === 0) return 'none at all';
  return `only ${list(others.map(({ product }) => product))} prices of ${list(others.map(({ type }) => type))}. Ask for --product-descriptions Linux/UNIX`;
}

function member(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name)
    ? Reflect.get(object, name)
    : undefined;
}

/** By date where the dates of trace and history meet; else the history from its beginning, over and over. */
function laidOn(trace: Trace, records: readonly Record_[]): PricedMarket {
  const duration = durationOf(trace);
  const first = records.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = records.reduce((most, { at }) => Math.max(most, at), Number.NEGATIVE_INFINITY);
  const start = trace.startedAt;
  const meet = start !== undefined && start < last && start + duration > first;
  const pools = Map.groupBy(
    records.toSorted((a, b) => a.at - b.at),
    ({ pool }) => pool,
  );
  // A history of one moment is a constant price.
  const length = Math.max(last - first, 1);
  const rounds = meet || last === first ? 1 : Math.ceil(duration / length);
  const steps = Array.from(
    pools.values(),
    (own): PriceSteps =>
      meet
        ? own.map(({ at, price }) => ({ from: at - start, price }))
        : Array.from({ length: rounds }, (_, round) =>
            own
              // In each repetition a pool begins with its first price.
              .map(({ at, price }, index) => ({
                from: round * length + (index === 0 ? 0 : at - first),
                price,
              })),
          ).flat(),
  );
  const what = `${pools.size} ${pools.size === 1 ? 'pool' : 'pools'} of capacity`;
  const about = meet
    ? `prices by date, ${what}`
    : `prices from ${new Date(first).toISOString().slice(0, 10)} on${rounds > 1 ? ', repeated' : ''}, ${what}`;
  return { market: createMarket(steps), about };
}

/** The text of a file, in UTF-8 or UTF-16, packed or not. */
async function textOf(file: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of readPieces(file)) {
      size += piece.length;
      if (size > MOST_BYTES) throw failure(`${file}: is larger than 256 MiB, expected a spot price history`);
      pieces.push(piece);
    }
  } catch (error) {
    throw isUserError(error) && error.message.endsWith('there is no such file')
      ? failure(`${error.message} (--price takes dollars an hour, or a file)`, { cause: error })
      : error;
  }
  return Buffer.concat(pieces).toString('utf8');
}
