import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { duration } from '../../src/format/durations.ts';
import { dollars, price } from '../../src/format/money.ts';
import { counted, grouped, requestRate, share } from '../../src/format/numbers.ts';
import { byteSize } from '../../src/format/sizes.ts';

const DAY = 24 * HOUR;

test('a span of time is spelt one way everywhere', () => {
  const spans: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [0, '0 s'],
    [400, '0.4 s'],
    [42 * SECOND, '42 s'],
    [90 * SECOND, '90 s'],
    [99.6 * SECOND, '1 min 40 s'],
    [185 * SECOND, '3 min 5 s'],
    [5 * MINUTE, '5 min'],
    [90 * MINUTE, '90 min'],
    [2 * HOUR, '2 h'],
    [192 * MINUTE, '3 h 12 min'],
    [47 * HOUR, '47 h'],
    [2 * DAY, '2 d'],
    [98 * HOUR, '4 d 2 h'],
    [30 * DAY, '30 d'],
  ];
  for (const [ms, text] of spans) assert.equal(duration(ms), text);
});

test('no span of time has a part that is too large for its unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 * DAY }), ms => {
      const [, minutes, seconds] = /(\d+) min (\d+) s/.exec(duration(ms)) ?? [];
      const [, , restMinutes] = /(\d+) h (\d+) min/.exec(duration(ms)) ?? [];
      const [, , restHours] = /(\d+) d (\d+) h/.exec(duration(ms)) ?? [];
      assert.ok(Number(minutes ?? 0) <= 10 && Number(seconds ?? 0) < 60 && Number(restMinutes ?? 0) < 60);
      assert.ok(Number(restHours ?? 0) < 24);
    }),
  );
});

test('a sum of money is spelt one way everywhere', () => {
  const sums = [0, 0.00001, 0.0043, 0.005, 0.03, 0.0312, 0.128, 1.2, 217.349, 1234.5, -0.5];
  assert.deepEqual(sums.map(dollars), [
    '$0',
    '<$0.001',
    '$0.0043',
    '$0.005',
    '$0.03',
    '$0.0312',
    '$0.13',
    '$1.20',
    '$217.35',
    '$1,235',
    '-$0.50',
  ]);
  assert.deepEqual([0.005, 0.05, 0.128, 0.0312, 1.25].map(price), [
    '$0.005',
    '$0.05',
    '$0.128',
    '$0.0312',
    '$1.25',
  ]);
});

test('counts, loads, parts and sizes have as many digits as say something', () => {
  assert.deepEqual([0.123, 12.34, 1234.5].map(requestRate), ['0.12', '12.3', '1235']);
  assert.equal(grouped(1_234_567), '1,234,567');
  assert.deepEqual([counted(1, 'slave'), counted(2, 'entry', 'entries')], ['1 slave', '2 entries']);
  assert.deepEqual(
    [share(0, 5), share(1, 1e6), share(93, 10_000), share(272, 1000), share(1, 0)],
    ['0 %', '< 0.01 %', '0.93 %', '27.2 %', '0 %'],
  );
  assert.deepEqual([0, 1023, 1536, 150 * 1024, 3 * 2 ** 30].map(byteSize), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '150 KiB',
    '3.0 GiB',
  ]);
});
