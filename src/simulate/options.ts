import type { Given } from '../cli/given.ts';
import { SECOND } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { parseNumber, quote } from '../config/values.ts';
import { isUserError, usageError } from '../errors.ts';
import { dollars } from '../format/money.ts';
import { createRequestFilter, type RequestFilter } from '../load/log/counts.ts';
import { builtInTrace } from './built-in.ts';
import { constantMarket, type Market } from './market.ts';
import { readPriceHistory } from './prices.ts';
import type { Server } from './queue.ts';
import { createRandom, type Delay } from './random.ts';
import { type LoadRead, readLogs } from './read-logs.ts';
import { readRates } from './read-rates.ts';
import type { Options } from './simulate.ts';
import { sped, type Trace } from './trace.ts';

/** What the command line asks for, with remarks about it. */
export type Asked = {
  readonly options: Options;
  readonly remarks: readonly string[];
  readonly price: string;
};

/** The example of the manual, for those who have no configuration yet. */
export const EXAMPLE = `[LOAD TABLE]
0.1     0   1
0.5     0   2
1.0     1   3
2.0     2   4
5.0     3   6
6.0     4   6
7.0     5   7
10.0    6   8
15.0    8   8
[MASTER]
poll_interval = 0.5
server_status_url = http://localhost/server-status
[SLAVE]
instance_type = m1.large
spot_bid = 0.10
ports = 8101
`;

/**
 * Reads the options of `simulate`, and the files that they name.
 *
 * @throws {UserError} for an option that is wrong, or a file that cannot be read
 */
export async function simulationOptions(given: Given<'simulate'>): Promise<Asked> {
  const { speed, interruptions, fixed, seed, compare } = given;
  const bootTime = bootTimeOf(given.bootTime);
  const server = serverOf(given);

  const own = await configOf(given.conf);
  const other = compare === undefined ? undefined : await loadConfig(compare);
  const load = await loadOf(given, own, seed);
  const trace = sped(load.trace, speed);
  const { market, price } = await marketOf(given.price, trace, own);
  return {
    options: {
      trace,
      own: { name: own.name, settings: own.config },
      ...(other !== undefined && { other: { name: other.config.file, settings: other.config } }),
      world: { market, bootTime, interruptions, random: createRandom(`simulate ${seed}`) },
      ...(fixed !== undefined && { fixed }),
      suggest: given.suggest,
      ...(server !== undefined && { server }),
    },
    remarks: [...load.remarks, ...own.warnings, ...(other?.warnings ?? [])],
    price,
  };
}

function bootTimeOf(value: string): Delay {
  const [from, until, ...more] = value.split('-').map(it => parseNumber(it.trim()));
  const end = value.includes('-') ? until : from;
  if (from === undefined || end === undefined || more.length > 0 || end < from || end > 86_400)
    throw usageError(
      `--boot-time is ${quote(value)}, expected seconds up to a day, such as 90, or a range of them, such as 60-120`,
    );
  return from === end ? from * SECOND : [from * SECOND, end * SECOND];
}

/** The Apache whose queue is modelled. */
function serverOf({ workers, serviceTime, suggest }: Given<'simulate'>): Server | undefined {
  if (workers === undefined && serviceTime === undefined) return undefined;
  if (workers === undefined || serviceTime === undefined)
    throw usageError(
      `--${workers === undefined ? 'service-time' : 'workers'} needs --${workers === undefined ? 'workers' : 'service-time'} beside it`,
    );
  if (suggest)
    throw usageError('--suggest and --workers: a table is suggested for what people want, not for a queue');
  return { workers, serviceTime };
}

type OwnConfig = {
  readonly name: string;
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly isExample: boolean;
};

/** The configuration of --conf, else that of the usual place, else the manual's example. */
async function configOf(file: string | undefined): Promise<OwnConfig> {
  if (file !== undefined) return { name: file, ...(await loadConfig(file)), isExample: false };
  let found: string;
  try {
    found = await findConfigFile();
  } catch (error) {
    if (!isUserError(error)) throw error;
    const { config, problems } = parseConfig('the example', EXAMPLE);
    if (config === undefined) throw new Error(problems.join('\n'));
    return {
      name: "the manual's example of a load table (there is no --conf)",
      config,
      warnings: [],
      isExample: true,
    };
  }
  return { name: found, ...(await loadConfig(found)), isExample: false };
}

/** The balancer's rule for counting. */
function filterOf({ master }: Config): RequestFilter {
  return createRequestFilter(new URL(master.serverStatusUrl).pathname, master.loadMatch);
}

async function loadOf(given: Given<'simulate'>, own: OwnConfig, seed: string): Promise<LoadRead> {
  const { words: logs, rates, trace } = given;
  const ways = [
    logs.length > 0 && '--log',
    rates !== undefined && '--rates',
    trace !== undefined && '--trace',
  ].filter(it => it !== false);
  if (ways.length > 1) throw usageError(`${ways.join(' and ')}: expected one load to replay`);
  if (logs.length > 0) return readLogs(logs, filterOf(own.config));
  if (rates !== undefined) return readRates(rates);
  return { trace: builtInTrace(trace ?? 'day', seed), remarks: [] };
}

async function marketOf(
  value: string | undefined,
  trace: Trace,
  { config, isExample }: OwnConfig,
): Promise<{ readonly market: Market; readonly price: string }> {
  const { spotBid, instanceTypes, availabilityZone } = config.slave;
  if (value === undefined)
    return {
      market: constantMarket(spotBid),
      price: `${dollars(spotBid)} an hour (the spot_bid; see --price)`,
    };
  const constant = parseNumber(value);
  if (constant !== undefined) {
    if (!(constant > 0 && constant <= 1000))
      throw usageError('--price is not a price, expected dollars an hour up to 1000');
    const above = constant > spotBid ? `, above the spot_bid of ${dollars(spotBid)}` : '';
    return { market: constantMarket(constant), price: `${dollars(constant)} an hour${above}` };
  }
  // The example's type is an old one: then any type that the file has.
  const wanted = isExample
    ? {}
    : { instanceTypes, ...(availabilityZone !== undefined && { availabilityZone }) };
  const { market, about } = await readPriceHistory(value, trace, wanted);
  return { market, price: `${value}: ${about}` };
}
