import { readFile, stat } from 'node:fs/promises';
import { failure, messageOf, systemCode } from '../errors.ts';
import { createMarket, type Market, type PriceSteps } from './market.ts';
import { durationOf, type Trace } from './trace.ts';

/** Some weeks of every type of a region. */
const MOST_BYTES = 256 * 1024 * 1024;

type Record_ = { readonly pool: string; readonly type: string; readonly at: number; readonly price: number };

/** A market whose prices are those of a history, and one sentence about how they lie on the trace. */
export type PricedMarket = { readonly market: Market; readonly about: string };

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
  const records = parsePriceHistory(file, await textOf(file)).filter(
    ({ pool }) => wanted.availabilityZone === undefined || pool.endsWith(` ${wanted.availabilityZone}`),
  );
  const fitting = records.filter(({ type }) => wanted.instanceTypes?.includes(type) ?? true);
  if (fitting.length === 0) {
    const types = [...new Set(records.map(({ type }) => type))];
    const has = types.length === 0 ? 'none at all' : types.slice(0, 10).join(', ');
    const zone = wanted.availabilityZone === undefined ? '' : ` in ${wanted.availabilityZone}`;
    throw failure(
      `${file}: has no Linux price of ${wanted.instanceTypes?.join(' or ') ?? 'any type'}${zone}; it has ${has}`,
    );
  }
  return laidOn(trace, fitting);
}

/** The prices of Linux instances in the JSON text, in any order. */
export function parsePriceHistory(file: string, text: string): readonly Record_[] {
  const wrong = (why: string) =>
    failure(`${file}: ${why}, expected what "aws ec2 describe-spot-price-history --output json" prints`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw wrong(`not JSON (${messageOf(error)})`);
  }
  const list = member(document, 'SpotPriceHistory');
  if (!Array.isArray(list)) throw wrong('has no SpotPriceHistory');
  return list.flatMap((entry: unknown, index) => {
    const [type, zone, product, price, time] = [
      'InstanceType',
      'AvailabilityZone',
      'ProductDescription',
      'SpotPrice',
      'Timestamp',
    ].map(name => member(entry, name));
    const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    const dollars = typeof price === 'string' && price.trim() !== '' ? Number(price) : Number.NaN;
    if (
      typeof type !== 'string' ||
      typeof zone !== 'string' ||
      Number.isNaN(at) ||
      !(dollars > 0 && dollars < 1e6)
    )
      throw wrong(
        `entry ${index + 1} lacks InstanceType, AvailabilityZone, SpotPrice or Timestamp, or one is no such thing`,
      );
    const isLinux = typeof product !== 'string' || product.startsWith('Linux/UNIX');
    return isLinux ? [{ pool: `${type} ${zone}`, type, at, price: dollars }] : [];
  });
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
              // In each round a pool begins with its first price.
              .map(({ at, price }, index) => ({
                from: round * length + (index === 0 ? 0 : at - first),
                price,
              })),
          ).flat(),
  );
  const what = `${pools.size} ${pools.size === 1 ? 'pool' : 'pools'} of capacity`;
  const about = meet
    ? `prices by date, ${what}`
    : `prices from ${new Date(first).toISOString().slice(0, 10)} on${rounds > 1 ? ', over and over' : ''}, ${what}`;
  return { market: createMarket(steps), about };
}

async function textOf(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) throw failure(`${file}: is a directory, expected a JSON file`);
    if (stats.size > MOST_BYTES)
      throw failure(`${file}: is larger than 256 MiB, expected a spot price history`);
    return await readFile(file, 'utf8');
  } catch (error) {
    switch (systemCode(error)) {
      case undefined:
        throw error;
      case 'ENOENT':
        throw failure(`${file}: there is no such file (--price takes dollars an hour, or a file)`, {
          cause: error,
        });
      default:
        throw failure(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }
}
