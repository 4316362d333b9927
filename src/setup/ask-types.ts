import type { Ec2 } from '../ec2/api.ts';
import { price } from '../format/money.ts';
import { findSpotPrices, type ZonePrice } from '../spot/prices.ts';
import { findMarket, type Market } from './account.ts';
import { priceLines } from './costs.ts';
import { type Architecture, LEAST_TYPES, proposeBid, USUAL_TYPES } from './instance-types.ts';
import { isPreviousGeneration } from './original.ts';
import { refuseAs } from './refuse.ts';
import type { Values } from './start.ts';
import type { SetupOptions, SetupTools } from './tools.ts';

/** What is launched, and today's prices of it. */
export type Chosen = {
  readonly types: readonly string[];
  /** Dollars an hour. */
  readonly spotBid: number;
  readonly prices: readonly ZonePrice[];
};

/**
 * The instance types and the bid. What somebody has decided on is offered again, else today's cheapest types; both are
 * shown with their prices.
 *
 * @param ec2 undefined where the account is not known
 * @throws {Ec2Error}
 */
export async function askForTypes(
  options: SetupOptions,
  decided: Values,
  ec2: Ec2 | undefined,
  { ask, say }: SetupTools,
): Promise<Chosen> {
  const wanted =
    options.instanceTypes === undefined ? current(decided.instance_type) : wordsOf(options.instanceTypes);
  const market = await findTypes(ec2, wanted);
  const proposed = wanted.length > 0 ? wanted : market.types;
  for (const line of priceLines(market.prices, [...new Set([...proposed, ...market.types])]))
    say(`  ${line}`);
  const types = wordsOf(
    await ask.text('Instance types of the slaves', proposed.join(' '), {
      option: '--instance_type',
      refuse: refuseAs('SLAVE', 'instance_type'),
    }),
  );
  if (types.length < LEAST_TYPES)
    say(
      `With fewer than ${LEAST_TYPES} types, spot capacity runs out and slaves are interrupted more often.`,
    );
  const typed = types.filter(it => !proposed.includes(it) && !market.types.includes(it));
  const more = ec2 === undefined || typed.length === 0 ? [] : await findSpotPrices(ec2, typed, 'Linux/UNIX');
  const prices = [...market.prices, ...more];
  if (typed.length > 0) for (const line of priceLines(prices, typed)) say(`  ${line}`);
  const bid = options.spotBid ?? (Number(decided.spot_bid) || proposeBid(prices, types) || 0.1);
  const spotBid = await ask.text(
    'The most that an hour of a slave may cost, in US dollars',
    price(bid).slice(1),
    { option: '--spot_bid', refuse: refuseAs('SLAVE', 'spot_bid') },
  );
  return { types, spotBid: Number(spotBid), prices };
}

async function findTypes(ec2: Ec2 | undefined, wanted: readonly string[]): Promise<Market> {
  const architecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  return ec2 === undefined
    ? { types: USUAL_TYPES[architecture], prices: [] }
    : await findMarket({ ec2 }, architecture, wanted);
}

/** The types of a value that AWS still offers to new accounts. */
function current(value = ''): readonly string[] {
  return wordsOf(value).filter(it => !isPreviousGeneration(it));
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter(it => it !== '');
}
