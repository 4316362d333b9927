import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { noMoney, spend } from '../../src/status/money.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const at = (ms: number, clock = NOON) => ({ monotonic: ms, wall: clock + ms });

test('what was spent is the price by the time that it held', () => {
  let money = spend(noMoney(at(0)), at(0), { perHour: 0.3, atMost: false });
  money = spend(money, at(2 * HOUR), { perHour: 0.1, atMost: false });
  money = spend(money, at(3 * HOUR), { perHour: 0, atMost: false });
  money = spend(money, at(9 * HOUR), { perHour: 0, atMost: false });
  assert.equal(money.sinceStart.dollars.toFixed(9), '0.700000000');
  assert.equal(money.today.dollars.toFixed(9), '0.700000000');
  assert.equal(money.sinceStart.atMost, false);
});

test('a day begins at midnight UTC', () => {
  let money = spend(noMoney(at(0)), at(0), { perHour: 1, atMost: true });
  money = spend(money, at(11 * HOUR), { perHour: 1, atMost: false });
  // 23:00 to 01:00
  money = spend(money, at(13 * HOUR), { perHour: 1, atMost: false });
  assert.equal(money.today.dollars.toFixed(9), '1.000000000');
  assert.equal(new Date(money.today.since).toISOString(), '2026-11-23T00:00:00.000Z');
  assert.equal(money.today.atMost, false, 'of today every price is known');
  assert.equal(money.sinceStart.dollars.toFixed(9), '13.000000000');
  assert.equal(money.sinceStart.atMost, true, 'of yesterday not');
});

test('a bid makes a sum an upper bound only when there was time for it to cost something', () => {
  let money = spend(noMoney(at(0)), at(0), { perHour: 1, atMost: true });
  money = spend(money, at(0), { perHour: 1, atMost: false });
  money = spend(money, at(MINUTE), { perHour: 1, atMost: true });
  assert.equal(money.sinceStart.atMost, false);
  money = spend(money, at(2 * MINUTE), { perHour: 1, atMost: false });
  assert.equal(money.sinceStart.atMost, true);
});

test('a clock that is set neither costs nor saves anything', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 20 }), steps => {
      let money = spend(noMoney(at(0)), at(0), { perHour: 1, atMost: false });
      let wall = NOON;
      steps.forEach((minutes, index) => {
        wall += minutes * MINUTE;
        const monotonic = (index + 1) * MINUTE;
        money = spend(money, { monotonic, wall: wall + monotonic }, { perHour: 1, atMost: false });
      });
      assert.ok(Math.abs(money.sinceStart.dollars - steps.length / 60) < 1e-9);
      assert.ok(money.today.dollars >= 0 && money.today.dollars <= money.sinceStart.dollars + 1e-9);
    }),
  );
});
