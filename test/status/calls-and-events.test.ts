import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR } from '../../src/clock.ts';
import { countCall, NO_CALLS, onDay } from '../../src/status/calls.ts';
import { NO_EVENTS, remember } from '../../src/status/events.ts';

const NOON = Date.parse('2026-11-22T12:00:00Z');

test('calls and failures are counted by action, today and since the start', () => {
  let calls = countCall(NO_CALLS, 'DescribeInstances', NOON - 24 * HOUR);
  calls = countCall(calls, 'DescribeInstances', NOON, { code: 'Throttling', message: 'slower' });
  calls = countCall(calls, 'DescribeInstances', NOON + HOUR);
  calls = countCall(calls, 'CreateFleet', NOON + HOUR);
  assert.deepEqual(
    [...calls.sinceStart],
    [
      ['DescribeInstances', { calls: 3, errors: 1 }],
      ['CreateFleet', { calls: 1, errors: 0 }],
    ],
  );
  assert.deepEqual(
    [...calls.today],
    [
      ['DescribeInstances', { calls: 2, errors: 1 }],
      ['CreateFleet', { calls: 1, errors: 0 }],
    ],
  );
  assert.deepEqual(calls.lastError, {
    at: NOON,
    action: 'DescribeInstances',
    code: 'Throttling',
    message: 'slower',
  });
  const tomorrow = onDay(calls, NOON + 13 * HOUR);
  assert.equal(tomorrow.today.size, 0);
  assert.equal(tomorrow.sinceStart.size, 2);
});

test('of all that was said the last is kept, of warnings and errors more', () => {
  let events = remember(NO_EVENTS, 'error', 'an early error', NOON);
  for (let index = 0; index < 1000; index++)
    events = remember(events, 'info', `message ${index}`, NOON + index);
  events = remember(events, 'debug', 'nobody wants to know', NOON);
  events = remember(events, 'warn', 'a late warning', NOON);
  assert.equal(events.decisions.length, 20);
  assert.equal(events.decisions.at(-2)?.message, 'message 999');
  assert.deepEqual(
    events.problems.map(({ message }) => message),
    ['an early error', 'a late warning'],
  );
  assert.deepEqual([events.warnings, events.errors], [1, 1]);
});

test('a message of megabytes is cut', () => {
  const { decisions } = remember(NO_EVENTS, 'warn', 'x'.repeat(5_000_000), NOON);
  assert.equal(decisions[0]?.message.length, 600);
  assert.match(decisions[0]?.message ?? '', /x…$/);
});
