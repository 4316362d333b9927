import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/clock.ts';
import { isUserError } from '../../src/errors.ts';
import { apacheTime, createSimulatedApache } from './apache.ts';
import { startApacheStandIn } from './apache-stand-in.ts';
import { createLoadProfile } from './load-profile.ts';
import { createVirtualClock } from './virtual-clock.ts';

const SECOND = 1000;

test('a load profile is steps, and what has come is the area below them', () => {
  const load = createLoadProfile([
    { from: 20 * SECOND, requestsPerSecond: 0 },
    { from: 10 * SECOND, requestsPerSecond: 5 },
    { from: 30 * SECOND, requestsPerSecond: 0.5 },
  ]);
  const table: [second: number, rate: number, requests: number][] = [
    [0, 0, 0],
    [10, 5, 0],
    [12, 5, 10],
    [20, 0, 50],
    [29, 0, 50],
    [32, 0.5, 51],
  ];
  for (const [second, rate, requests] of table) {
    assert.equal(load.requestsPerSecondAt(second * SECOND), rate, `rate at ${second} s`);
    assert.equal(load.requestsUntil(second * SECOND), requests, `requests until ${second} s`);
  }
});

test('requests never become fewer, and come at the rate of their moment', () => {
  const step = fc.record({ from: fc.nat(1000), requestsPerSecond: fc.nat(100) });
  fc.assert(
    fc.property(fc.uniqueArray(step, { selector: it => it.from }), fc.nat(1200), (steps, moment) => {
      const load = createLoadProfile(steps);
      const come = load.requestsUntil(moment + 1) - load.requestsUntil(moment);
      assert.ok(Math.abs(come - load.requestsPerSecondAt(moment) / 1000) < 1e-9);
    }),
  );
});

const steady = createLoadProfile([{ from: 0, requestsPerSecond: 2 }]);

test('mod_status counts the load, and each request for it in the next answer', async () => {
  const clock = createVirtualClock(Date.UTC(2025, 10, 22, 15, 31));
  const apache = createSimulatedApache(clock, steady);
  assert.deepEqual(await apache.readStatus(), {
    totalAccesses: 0,
    serverUptimeSeconds: 0,
    restartTime: 'Saturday, 22-Nov-2025 15:31:00 UTC',
  });
  await clock.runFor(10.5 * SECOND);
  assert.equal((await apache.readStatus()).totalAccesses, 21 + 1);
  const last = await apache.readStatus();
  assert.equal(last.totalAccesses, 21 + 2);
  assert.equal(last.serverUptimeSeconds, 10);
});

test('a restart begins counter and uptime again; the load goes on', async () => {
  const clock = createVirtualClock();
  const apache = createSimulatedApache(clock, steady);
  await clock.runFor(100 * SECOND);
  await apache.readStatus();
  apache.restart();
  await clock.runFor(5 * SECOND);
  const { totalAccesses, serverUptimeSeconds } = await apache.readStatus();
  assert.deepEqual([totalAccesses, serverUptimeSeconds], [10, 5]);
});

test("uptime follows the host's wall clock, the requests true time", async () => {
  const clock = createVirtualClock();
  const apache = createSimulatedApache(clock, steady);
  await clock.runFor(10 * SECOND);
  clock.stepWall(3600 * SECOND);
  const { totalAccesses, serverUptimeSeconds } = await apache.readStatus();
  assert.deepEqual([totalAccesses, serverUptimeSeconds], [20, 3610]);
});

test('it fails as it is told, for people, and its counter can go back', async () => {
  const clock = createVirtualClock();
  const apache = createSimulatedApache(clock, steady);
  apache.fail('mod_status is off');
  await assert.rejects(apache.readStatus(), error => isUserError(error) && /is off/.test(error.message));
  apache.fail(undefined);
  await clock.runFor(10 * SECOND);
  apache.shiftCounter(-15);
  assert.equal((await apache.readStatus()).totalAccesses, 5);
});

test('Apache words a moment so', () => {
  assert.equal(apacheTime(Date.UTC(2026, 0, 4, 5, 6, 7)), 'Sunday, 04-Jan-2026 05:06:07 UTC');
});

test('the stand-in gives the ?auto page of an Apache, counting its own requests', async t => {
  const before = createLoadProfile([{ from: -1000, requestsPerSecond: 5 }]);
  const standIn = await startApacheStandIn({ ...systemClock, monotonic: () => 0 }, before);
  t.after(standIn.close);
  const page = async (path = '?auto') => {
    const response = await fetch(standIn.url + path);
    return { status: response.status, text: await response.text() };
  };
  const field = (text: string, key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1];
  const first = (await page()).text;
  assert.match(first, /^localhost\n/);
  for (const key of [
    'ServerUptimeSeconds',
    'RestartTime',
    'Uptime',
    'ReqPerSec',
    'BusyWorkers',
    'Scoreboard',
  ]) {
    assert.ok(field(first, key), key);
  }
  assert.equal(field(first, 'Total Accesses'), '5');
  assert.equal(field((await page()).text, 'Total Accesses'), '6');
  assert.match((await page('')).text, /^<!DOCTYPE HTML/);
  standIn.fail('not yours');
  assert.equal((await page()).status, 403);
  standIn.fail(undefined);
  assert.equal((await page('/elsewhere')).status, 404);
});
