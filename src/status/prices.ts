import type { _InstanceType, SpotPrice } from '@aws-sdk/client-ec2';
import { HOUR, MINUTE } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDenied } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import type { Slave } from '../spot/slave.ts';
import type { Moment } from './money.ts';

type Place = Pick<Slave, 'instanceType' | 'availabilityZone'>;

/** Spot prices as EC2 last reported them. */
export type Prices = {
  /** Dollars an hour; undefined while it is not known. */
  of(slave: Place): number | undefined;
  /** The highest since the answer before the last, dollars an hour. */
  peak(slave: Place): number | undefined;
  /** How often EC2 has answered. */
  answers(): number;
  /** Asks for the prices of these slaves if it is time; does not wait for the answer, and never throws. */
  follow(slaves: readonly Place[], now: Moment): void;
  /** Whether an answer is awaited. */
  isAsking(): boolean;
};

/** Spot prices move slowly, and every call counts. */
const AGAIN = HOUR;
/** For a slave of a type that was not asked for; and after a call that failed. */
const SOON = 10 * MINUTE;
/** Prices of a longer time ago are not asked for. */
const LONGEST_HISTORY = 6 * HOUR;
/** The user does not have to allow DescribeSpotPriceHistory. */
const AFTER_REFUSAL = 24 * HOUR;

/** The prices of the slaves that there are, for one DescribeSpotPriceHistory an hour. */
export function createPrices(ec2: Ec2): Prices {
  let known: ReadonlyMap<string, number> = new Map();
  let peaks: ReadonlyMap<string, number> = new Map();
  let answers = 0;
  /** Wall clock ms; nothing before is asked for. */
  let knownUntil: number | undefined;
  /** Monotonic ms. */
  let askedAt = Number.NEGATIVE_INFINITY;
  let patience = AGAIN;
  let askedFor: readonly string[] = [];
  let running = false;

  async function ask(types: readonly string[], wall: number): Promise<void> {
    try {
      // AWS: the answer begins with the price that held at the start time.
      const from = Math.min(wall, Math.max(knownUntil ?? wall, wall - LONGEST_HISTORY));
      const history = await allPages(
        'DescribeSpotPriceHistory',
        token =>
          ec2('DescribeSpotPriceHistory', {
            // New types appear faster than the SDK's list of them.
            InstanceTypes: types.map(type => type as _InstanceType),
            ProductDescriptions: ['Linux/UNIX'],
            StartTime: new Date(from),
            ...token,
          }),
        page => page.SpotPriceHistory,
      );
      known = pricesIn(history);
      peaks = pricesIn(history, Math.max);
      answers += 1;
      knownUntil = wall;
      patience = AGAIN;
    } catch (error) {
      patience = isDenied(error) ? AFTER_REFUSAL : SOON;
    }
  }

  return {
    isAsking: () => running,
    of: slave => known.get(keyOf(slave.instanceType, slave.availabilityZone)),
    peak: slave => peaks.get(keyOf(slave.instanceType, slave.availabilityZone)),
    answers: () => answers,
    follow(slaves, { monotonic, wall }) {
      if (slaves.length === 0 || running) return;
      const types = [...new Set(slaves.map(it => it.instanceType))];
      const isNew = patience === AGAIN && types.some(type => !askedFor.includes(type));
      if (monotonic < askedAt + (isNew ? SOON : patience)) return;
      askedAt = monotonic;
      askedFor = types;
      running = true;
      void ask(types, wall).finally(() => {
        running = false;
      });
    },
  };
}

/** The newest price of each type in each zone, or of two in a row the one that `of` gives; dollars an hour. */
export function pricesIn(
  answer: readonly SpotPrice[],
  of: (older: number, newer: number) => number = (_, newer) => newer,
): Map<string, number> {
  const prices = new Map<string, number>();
  const history = answer.toSorted((a, b) => (a.Timestamp?.getTime() ?? 0) - (b.Timestamp?.getTime() ?? 0));
  for (const { InstanceType = '', AvailabilityZone = '', SpotPrice } of history) {
    const price = Number(SpotPrice);
    const key = keyOf(InstanceType, AvailabilityZone);
    if (price > 0) prices.set(key, of(prices.get(key) ?? price, price));
  }
  return prices;
}

function keyOf(instanceType: string, availabilityZone: string): string {
  return `${instanceType} ${availabilityZone}`;
}
