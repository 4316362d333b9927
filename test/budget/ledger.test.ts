import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accountOf,
  charge,
  elapsedBy,
  monthOf,
  NOTHING_SPENT,
  settle,
  startOfMonth,
} from '../../src/budget/ledger.ts';
import { LEDGER } from '../../src/budget/ledger-file.ts';
import { DAY, HOUR, MINUTE } from '../../src/clock.ts';
import { stateText, understandState } from '../../src/os/state-file.ts';

const NOON = Date.UTC(2026, 10, 15, 12);
const RATE = { perHour: 1, atMost: 3 };

describe('what was spent', () => {
  it('is counted by hours at the price, and the rest up to the bid is in doubt', () => {
    const ledger = charge(NOTHING_SPENT, NOON, 2 * HOUR, RATE);
    const { spent, spentAtMost } = accountOf(ledger, NOON, undefined);
    assert.deepEqual([spent, spentAtMost], [2, 6]);
  });

  it('is what was counted when prices were so, and the most when one was higher', () => {
    const ledger = charge(NOTHING_SPENT, NOON, 2 * HOUR, RATE);
    assert.equal(accountOf(settle(ledger, 'as counted'), NOON, undefined).spentAtMost, 2);
    assert.equal(accountOf(settle(ledger, 'at most'), NOON, undefined).spent, 6);
  });

  it('belongs to the month in which it was spent', () => {
    const december = Date.UTC(2026, 11, 1);
    const ledger = charge(NOTHING_SPENT, december + HOUR, 3 * HOUR, { perHour: 1, atMost: 1 });
    assert.deepEqual(ledger.months, { '2026-11': 2, '2026-12': 1 });
    assert.equal(monthOf(december - 1), '2026-11');
    assert.equal(startOfMonth(NOON, 1), december);
  });

  it('is found again after a clock was set forward and back', () => {
    let ledger = charge(NOTHING_SPENT, NOON, 30 * HOUR, { perHour: 1, atMost: 1 });
    ledger = charge(ledger, NOON + 40 * DAY, HOUR, { perHour: 1, atMost: 1 });
    ledger = charge(ledger, NOON + MINUTE, HOUR, { perHour: 1, atMost: 1 });
    assert.equal(accountOf(ledger, NOON, undefined).spent, 31);
  });

  for (const [what, monotonic, wall, counted] of [
    ['both clocks agree', HOUR, HOUR, HOUR],
    ['the clock was set back', HOUR, -DAY, HOUR],
    ['the machine slept', MINUTE, 2 * HOUR, 2 * HOUR],
    ['the clock was set forward by a year', HOUR, 365 * DAY, HOUR + DAY],
  ] as const)
    it(`goes on for the right time where ${what}`, () => assert.equal(elapsedBy(monotonic, wall), counted));
});

describe('a budget', () => {
  const ledger = charge(NOTHING_SPENT, NOON, 10 * HOUR, { perHour: 1, atMost: 1 });
  const usedUp = { ...ledger, usedUp: { month: '2026-11', budget: 12 } };
  for (const [what, budget, wall, is, of] of [
    ['is not used up below it', 11, NOON, false, ledger],
    ['is used up when all is spent', 10, NOON, true, ledger],
    ['stays used up when prices turn out to be lower', 12, NOON, true, usedUp],
    ['goes on when it is raised', 13, NOON, false, usedUp],
    ['goes on with a new month', 12, startOfMonth(NOON, 1), false, usedUp],
  ] as const)
    it(what, () => assert.equal(accountOf(of, wall, budget).isUsedUp, is));
});

describe('the state file of what was spent', () => {
  const whole = { months: { '2026-11': 3.5 }, doubt: { month: '2026-11', dollars: 0.1 } };
  it('is understood', () => assert.deepEqual(LEDGER.understand(whole), whole));
  it('is understood with the slaves that run', () => {
    const running = { ...whole, running: { 'i-1': 0.1 } };
    assert.deepEqual(LEDGER.understand(running), running);
  });
  it('is known when it was written by a clock that was an hour ahead', () => {
    const text = stateText(LEDGER, { master: 'web1', now: NOON + HOUR }, whole);
    const read = understandState(text, LEDGER, 'web1', NOON);
    assert.deepEqual(read.kind === 'value' && read.value, whole);
  });
  it('is understood with the cost of volumes', () => {
    const volumes = { ...whole, volumes: { 'ami-1 snap-1': 0.01 } };
    assert.deepEqual(LEDGER.understand(volumes), volumes);
  });
  for (const [what, value] of [
    ['nothing', null],
    ['no months', { doubt: whole.doubt }],
    ['a month that is none', { ...whole, months: { November: 1 } }],
    ['a sum that is none', { ...whole, months: { '2026-11': 'much' } }],
    ['a negative sum', { ...whole, months: { '2026-11': -1 } }],
    ['a running slave without a price', { ...whole, running: { 'i-1': '?' } }],
    ['volumes without a price', { ...whole, volumes: { 'ami-1 snap-1': null } }],
    ['a used up budget that is none', { ...whole, usedUp: { month: '2026-11' } }],
  ] as const)
    it(`is refused with ${what}`, () => assert.equal(LEDGER.understand(value), undefined));
});
