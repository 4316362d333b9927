import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { HOUR, MINUTE } from '../../src/clock.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { createPrices, pricesIn } from '../../src/status/prices.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const at = (monotonic: number) => ({ monotonic, wall: NOW + monotonic });
const slave = (instanceType: string, availabilityZone = 'us-west-2a') => ({ instanceType, availabilityZone });

/** An EC2 that only tells prices, and what it was asked. */
function market(answer: () => object) {
  const asked: unknown[] = [];
  const ec2: Ec2 = async (action, request) => {
    asked.push([action, request]);
    await soon();
    return answer();
  };
  return { asked, prices: createPrices(ec2) };
}

const HISTORY = [
  { InstanceType: 'm5.large', AvailabilityZone: 'us-west-2a', SpotPrice: '0.0351', Timestamp: new Date(NOW) },
  {
    InstanceType: 'm5.large',
    AvailabilityZone: 'us-west-2a',
    SpotPrice: '0.03',
    Timestamp: new Date(NOW - HOUR),
  },
  { InstanceType: 'm5.large', AvailabilityZone: 'us-west-2b', SpotPrice: '0.04', Timestamp: new Date(NOW) },
] as const;

test('one call an hour tells the price of every slave, and without slaves there is none', async () => {
  const { asked, prices } = market(() => ({ SpotPriceHistory: HISTORY }));
  prices.follow([], at(0));
  assert.equal(asked.length, 0);
  for (let minute = 0; minute < 120; minute++) {
    prices.follow([slave('m5.large'), slave('m5.large', 'us-west-2b')], at(minute * MINUTE));
    await soon();
    await soon();
  }
  assert.deepEqual(
    asked,
    [0, 60].map(() => [
      'DescribeSpotPriceHistory',
      {
        InstanceTypes: ['m5.large'],
        ProductDescriptions: ['Linux/UNIX'],
        // From the last answer on, so that no price in between is missed.
        StartTime: new Date(NOW),
      },
    ]),
  );
  assert.equal(prices.of(slave('m5.large')), 0.0351);
  assert.equal(prices.of(slave('m5.large', 'us-west-2b')), 0.04);
  assert.equal(prices.of(slave('m6i.large')), undefined);
});

test('prices that stand on a later page are known too', async () => {
  let pages = 0;
  const { asked, prices } = market(() => {
    const page = HISTORY.slice(pages, ++pages);
    return { SpotPriceHistory: page, NextToken: pages < HISTORY.length ? `after ${pages}` : '' };
  });
  prices.follow([slave('m5.large')], at(0));
  while (prices.isAsking()) await soon();
  assert.equal(asked.length, 3);
  assert.equal(prices.of(slave('m5.large')), 0.0351);
  assert.equal(prices.of(slave('m5.large', 'us-west-2b')), 0.04);
});

test('a slave of another type is asked for within ten minutes, and not again and again', async () => {
  const { asked, prices } = market(() => ({ SpotPriceHistory: HISTORY }));
  const times: number[] = [];
  for (let minute = 0; minute < 60; minute++) {
    const before = asked.length;
    prices.follow(
      minute < 3 ? [slave('m5.large')] : [slave('m5.large'), slave('m6i.large')],
      at(minute * MINUTE),
    );
    if (asked.length > before) times.push(minute);
    await soon();
    await soon();
  }
  assert.deepEqual(times, [0, 10]);
});

for (const [what, code, wait] of [
  ['who may not ask does so once a day', 'UnauthorizedOperation', 24 * HOUR],
  ['a call that fails is made again after ten minutes', 'RequestLimitExceeded', 10 * MINUTE],
] as const) {
  test(what, async () => {
    const { asked, prices } = market(() => {
      throw new Ec2Error('DescribeSpotPriceHistory', code, 'no');
    });
    for (const moment of [0, wait - 1, wait]) {
      prices.follow([slave('m5.large')], at(moment));
      await soon();
      await soon();
    }
    assert.equal(asked.length, 2);
    assert.equal(prices.of(slave('m5.large')), undefined);
    assert.equal(prices.isAsking(), false);
  });
}

test('an answer of nonsense gives no price', () => {
  assert.deepEqual([...pricesIn([])], []);
  for (const SpotPrice of ['', 'free', '-1', '0']) {
    assert.equal(pricesIn([{ ...HISTORY[0], SpotPrice }]).size, 0, SpotPrice);
  }
});
