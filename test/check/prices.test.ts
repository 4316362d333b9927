import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { judgePrices, type PriceFacts } from '../../src/check/prices.ts';
import type { ZonePrice } from '../../src/spot/prices.ts';

const ZONES = ['us-west-2a', 'us-west-2b'];

function facts(prices: readonly ZonePrice[], more: Partial<PriceFacts> = {}): PriceFacts {
  const types = [...new Set(prices.map(({ type }) => type))];
  return { prices, zones: ZONES, types, bid: 0.1, most: 6, place: 'aws_balancer.conf:40', ...more };
}

const at = (type: string, zone: string, dollars: number): ZonePrice => ({ type, zone, dollars });

describe('the bid against the prices of today', () => {
  const cases = [
    ['enough everywhere', [at('m5.large', 'us-west-2a', 0.03), at('m5.large', 'us-west-2b', 0.04)], ['ok']],
    [
      'too low everywhere',
      [at('m5.large', 'us-west-2a', 0.15), at('m5.large', 'us-west-2b', 0.2)],
      ['problem'],
    ],
    [
      'too low for one of two types',
      [at('m5.large', 'us-west-2a', 0.15), at('c5.large', 'us-west-2a', 0.05)],
      ['warning', 'ok'],
    ],
    [
      'too low for both',
      [at('m5.large', 'us-west-2a', 0.15), at('c5.large', 'us-west-2a', 0.11)],
      ['problem', 'problem'],
    ],
    [
      'enough in one zone alone',
      [at('m5.large', 'us-west-2a', 0.05), at('m5.large', 'us-west-2b', 0.2)],
      ['warning'],
    ],
    ['just enough', [at('m5.large', 'us-west-2a', 0.095)], ['warning']],
    ['exactly the price', [at('m5.large', 'us-west-2a', 0.1)], ['warning']],
  ] as const;
  for (const [what, prices, verdicts] of cases) {
    test(`${what}: ${verdicts.join(', ')}`, () => {
      const found = judgePrices(facts(prices)).map(({ verdict }) => verdict);
      assert.deepEqual(found, [...verdicts, 'ok']);
    });
  }

  test('the line to write is a bid that the price leaves room for', () => {
    const [finding] = judgePrices(facts([at('m5.large', 'us-west-2a', 0.153)]));
    assert.match(
      finding?.message ?? '',
      /^m5\.large costs \$0\.153 in us-west-2a, more than the bid of \$0\.10/,
    );
    assert.equal(finding?.fix, 'In aws_balancer.conf:40:\n    spot_bid = 0.19');
  });

  test('a type without a price is not offered there: a problem when it is the only one', () => {
    const alone = judgePrices(facts([], { types: ['x9.huge'] }))[0];
    assert.equal(alone?.verdict, 'problem');
    assert.match(alone?.message ?? '', /x9\.huge has no spot price in us-west-2a, us-west-2b/);
    const beside = judgePrices(
      facts([at('m5.large', 'us-west-2a', 0.03)], { types: ['x9.huge', 'm5.large'] }),
    );
    assert.deepEqual(
      beside.map(({ verdict }) => verdict),
      ['warning', 'ok', 'ok'],
    );
  });

  test('whatever it finds wrong, the bid that it names is above a price and fixes it', () => {
    const price = fc.record({
      type: fc.constantFrom('m5.large', 'c5.large'),
      zone: fc.constantFrom(...ZONES),
      dollars: fc.integer({ min: 2, max: 500_000 }).map(it => it / 100_000),
    });
    const prices = fc.uniqueArray(price, { minLength: 1, selector: ({ type, zone }) => `${type} ${zone}` });
    fc.assert(
      fc.property(prices, fc.integer({ min: 1, max: 500 }), (given, cents) => {
        for (const { fix } of judgePrices(facts(given, { bid: cents / 100 }))) {
          const [, bid] = /spot_bid = (\S+)/.exec(fix ?? '') ?? [];
          if (bid === undefined) continue;
          assert.ok(Number(bid) > cents / 100, `${bid} for a bid of ${cents} cents`);
          const after = judgePrices(facts(given, { bid: Number(bid) }));
          assert.ok(!after.some(({ verdict }) => verdict === 'problem'));
        }
      }),
    );
  });
});

test('an hour costs at most the largest row of the load table at the bid', () => {
  const { message, details } = judgePrices(facts([at('m5.large', 'us-west-2a', 0.03)])).at(-1) ?? {};
  assert.equal(
    message,
    "At most $0.60 an hour: 6 slaves (load table) at the bid of $0.10; $0.18 at today's lowest price.",
  );
  assert.equal(details?.mostAnHour, 0.6000000000000001);
});

describe('what the budget and on_demand cost', () => {
  const said = (more: Partial<PriceFacts>) =>
    judgePrices(facts([at('m5.large', 'us-west-2a', 0.03)], more))
      .slice(2)
      .map(({ verdict, message, fix }) => [verdict, message, fix]);

  test('without either nothing is said', () => assert.deepEqual(said({}), []));

  test('how long a budget lasts at the worst, and what is left of it', () => {
    assert.deepEqual(said({ budget: 60 }), [
      [
        'ok',
        "[SLAVE] budget is $60.00 a month: at the largest max and the bid, without volumes, it lasts for 100 hours of the month's 730.",
        undefined,
      ],
    ]);
    assert.deepEqual(said({ budget: 500, spent: 12.5 }), [
      [
        'ok',
        '[SLAVE] budget is $500.00 a month: it is more than a month at the largest max and the bid can cost without volumes ($438.00). $12.50 were spent this month (UTC).',
        undefined,
      ],
    ]);
  });

  test('from 80 % of the budget on a warning says what happens, and what to do', () => {
    for (const [spent, words] of [
      [79, undefined],
      [80, /At 100 % the slaves are released until the next month/],
      [100, /It is used up, so no slave is launched before the next month/],
    ] as const) {
      const [[verdict, message, fix] = []] = said({ budget: 100, spent });
      assert.equal(verdict, words === undefined ? 'ok' : 'warning');
      if (words === undefined) continue;
      assert.match(message ?? '', words);
      assert.equal(fix, 'Raise [SLAVE] budget, or wait for the next month.');
    }
  });

  test('slaves on demand: how many at most, and at which price', () => {
    const [[verdict, message] = []] = said({ onDemand: 2, largestMin: 4, region: 'us-west-2' });
    assert.equal(verdict, 'ok');
    assert.match(
      message ?? '',
      /up to 2 slaves are bought on demand, at the most \$0.192 an hour \(m5.large \$0.096 at the most\)/,
    );
    const [[, abroad] = []] = said({ onDemand: 2, largestMin: 1, region: 'eu-west-1' });
    assert.match(abroad ?? '', /up to one slave is bought on demand, at the most \$0.144 an hour/);
  });

  test('what keeps slaves on demand from being bought, or from being given up, is a warning', () => {
    const warned = (more: Partial<PriceFacts>, words: RegExp) => {
      const [[verdict, message] = []] = said({ onDemand: 2, largestMin: 4, ...more });
      assert.equal(verdict, 'warning');
      assert.match(message ?? '', words);
    };
    warned({ largestMin: 0 }, /min is 0 in every row/);
    warned({ largestMin: 6 }, /there is no room for spot slaves beside them/);
    const unknown = judgePrices(
      facts([at('u7.large', 'us-west-2a', 0.03)], { onDemand: 2, largestMin: 4 }),
    ).at(-1);
    assert.equal(unknown?.verdict, 'warning');
    assert.match(unknown?.message ?? '', /the price of u7.large on demand is not known/);
  });
});
