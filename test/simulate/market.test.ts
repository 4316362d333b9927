import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR } from '../../src/clock.ts';
import { constantMarket, createMarket } from '../../src/simulate/market.ts';
import { parsePriceHistory, readPriceHistory } from '../../src/simulate/prices.ts';
import { createTrace } from '../../src/simulate/trace.ts';
import { mangled } from '../fuzz/mangle.ts';
import { createDirectory } from './files.ts';

const directory = createDirectory();
after(directory.remove);

const STEPS = [
  { from: 0, price: 2 },
  { from: HOUR, price: 5 },
  { from: 3 * HOUR, price: 1 },
];

describe('a simulated spot market', () => {
  const market = createMarket([STEPS, [{ from: 0, price: 3 }]]);

  it('gives the cheapest pool that the bid allows', () => {
    assert.equal(market.cheapest(0, 10), 0);
    assert.equal(market.cheapest(HOUR, 10), 1);
    assert.equal(market.cheapest(HOUR, 2.5), undefined);
    assert.equal(market.cheapest(HOUR, 3), 1);
    assert.equal(market.cheapest(9 * HOUR, 1), 0);
  });

  it('says when a pool becomes dearer than a bid', () => {
    assert.equal(market.dearer(0, 0, 4), HOUR);
    assert.equal(market.dearer(0, 2 * HOUR, 4), 2 * HOUR);
    assert.equal(market.dearer(0, 0, 5), Number.POSITIVE_INFINITY);
  });

  it('bills each hour at its price', () => {
    assert.equal(market.cost(0, 0.5 * HOUR, 4 * HOUR), 1 + 10 + 1);
    assert.equal(market.leastCost(0.5 * HOUR, 4 * HOUR), 1 + 6 + 1);
    assert.equal(market.cost(0, -HOUR, 0), 2);
    assert.equal(constantMarket(0.1).cost(0, 0, 10 * HOUR), 1);
  });
});

type Entry = readonly [type: string, zone: string, product: string, price: string, time: string];

function history(...entries: readonly Entry[]): string {
  return JSON.stringify({
    SpotPriceHistory: entries.map(
      ([InstanceType, AvailabilityZone, ProductDescription, SpotPrice, Timestamp]) => ({
        AvailabilityZone,
        InstanceType,
        ProductDescription,
        SpotPrice,
        Timestamp,
      }),
    ),
  });
}

const TYPICAL: readonly Entry[] = [
  ['m5.large', 'us-west-2a', 'Linux/UNIX', '0.040000', '2026-11-02T00:00:00+00:00'],
  ['m5.large', 'us-west-2b', 'Linux/UNIX', '0.030000', '2026-11-01T00:00:00+00:00'],
  ['m5.large', 'us-west-2a', 'Linux/UNIX', '0.020000', '2026-11-01T00:00:00+00:00'],
  ['m5.large', 'us-west-2a', 'Windows', '0.001000', '2026-11-01T00:00:00+00:00'],
  ['c5.large', 'us-west-2a', 'Linux/UNIX', '0.010000', '2026-11-01T00:00:00+00:00'],
];
const DAY = 24 * HOUR;
const atDate = (date: string, days: number) =>
  createTrace({ name: 'some', startedAt: Date.parse(date) }, new Uint8Array(days * 86_400));
const undated = (days: number) => createTrace({ name: 'some' }, new Uint8Array(days * 86_400));
const file = (text: string) => directory.file('prices.json', text);

describe('a price history of AWS', () => {
  it('is laid on the trace by date', async () => {
    const { market, about } = await readPriceHistory(file(history(...TYPICAL)), atDate('2026-11-01', 2), {
      instanceTypes: ['m5.large'],
    });
    assert.match(about, /by date, 2 pools/);
    assert.ok(Math.abs(market.leastCost(0, DAY) - 24 * 0.02) < 1e-9);
    assert.ok(Math.abs(market.leastCost(DAY, 2 * DAY) - 24 * 0.03) < 1e-9);
  });

  it('is repeated from its beginning where the dates do not meet, or there are none', async () => {
    for (const trace of [undated(3), atDate('2015-05-17', 3)]) {
      const { market, about } = await readPriceHistory(file(history(...TYPICAL)), trace, {
        instanceTypes: ['m5.large'],
        availabilityZone: 'us-west-2a',
      });
      assert.match(about, /from 2026-11-01 on, repeated, 1 pool/);
      assert.ok(Math.abs(market.cost(0, 0, 2.5 * DAY) - 2.5 * 24 * 0.02) < 1e-9);
    }
  });

  it('of one moment is a constant price', async () => {
    const [first] = TYPICAL;
    assert.ok(first);
    const { market } = await readPriceHistory(file(history(first)), undated(1), {});
    assert.ok(Math.abs(market.leastCost(0, DAY) - 24 * 0.04) < 1e-9);
  });

  const wrong: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['no JSON', 'SpotPriceHistory', /prices\.json: not JSON/],
    [
      'another JSON',
      '{"Images": []}',
      /has no SpotPriceHistory, expected what "aws ec2 describe-spot-price-history/,
    ],
    [
      'a price that is none',
      history(['m5.large', 'a', 'Linux/UNIX', 'cheap', '2026-11-01T00:00:00Z']),
      /entry 1 lacks/,
    ],
    ['a moment that is none', history(['m5.large', 'a', 'Linux/UNIX', '0.1', 'today']), /entry 1 lacks/],
    [
      'no price of the type',
      history(['m6i.large', 'a', 'Linux/UNIX', '0.1', '2026-11-01T00:00:00Z']),
      /no Linux price of m5\.large; it has m6i\.large a/,
    ],
    ['no price at all', history(), /it has none at all/],
  ];
  for (const [what, text, message] of wrong) {
    it(`with ${what} is an error that says so`, async () => {
      const reading = readPriceHistory(file(text), undated(1), { instanceTypes: ['m5.large'] });
      await assert.rejects(reading, { name: 'UserError', exitStatus: 1, message });
    });
  }

  it('that is a directory is an error', async () => {
    await assert.rejects(readPriceHistory(directory.path, undated(1), {}), /is a directory/);
  });

  it('of whatever text gives prices, or an error for people', () => {
    fc.assert(
      fc.property(mangled([history(...TYPICAL)]), text => {
        let records: ReturnType<typeof parsePriceHistory> = { linux: [], others: [] };
        try {
          records = parsePriceHistory('FILE', text);
        } catch (error) {
          assert.match(String(error), /^UserError: FILE: .*expected what/s);
        }
        for (const { at, price } of [...records.linux, ...records.others])
          assert.ok(Number.isFinite(at) && price > 0);
      }),
      { numRuns: 500 },
    );
  });
});
