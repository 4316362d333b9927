import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { hoursOf } from '../../src/history/book.ts';
import { simulated } from '../../src/history/compare.ts';
import { readBook } from '../../src/history/files.ts';
import { createHistorian } from '../../src/history/historian.ts';
import { sumOf } from '../../src/history/tally.ts';
import { builtInTrace } from '../../src/simulate/built-in.ts';
import { rateOf } from '../../src/status/levels.ts';
import { createWorld } from '../balancer/world.ts';
import { directory } from '../daemon/fixtures/run.ts';

const TABLE = [
  [0.5, 0, 2],
  [1, 1, 3],
  [2, 2, 4],
  [5, 3, 6],
  [7, 5, 7],
] as const;
const PRICE = 0.04;

for (const releaseAfter of ['never', 'auto'] as const) {
  test(`over restarts it says what was, and a simulation of its load agrees within 5 % (${releaseAfter})`, async t => {
    const place = { directory: directory(t), master: 'web1' };
    const trace = builtInTrace('day', '1');
    const hour = 3600 * 7;
    const load = Array.from({ length: 12 * 60 }, (_, minute) => ({
      from: minute * MINUTE,
      requestsPerSecond:
        ((trace.cumulative[hour + (minute + 1) * 60] ?? 0) - (trace.cumulative[hour + minute * 60] ?? 0)) /
        60,
    }));
    const world = createWorld({ load, table: TABLE, master: { releaseAfter } });
    const said: string[] = [];
    const log = { ...world.log.log, warn: (message: string) => void said.push(message) };
    const begin = async () => {
      const made = createHistorian({ place: () => place, clock: world.clock, log });
      await made.open();
      return made;
    };
    world.start();
    let historian = await begin();
    const launched = new Set<string>();
    let [served, paid] = [0, 0];
    for (let at = 0; at < 12 * HOUR; at += 2 * SECOND) {
      await world.run(2 * SECOND);
      const { state } = world.balancer;
      historian.observe(
        state,
        world.now(),
        rateOf(state, () => PRICE),
      );
      served += world.farm.urls().length * 2 * SECOND;
      for (const { id } of world.live()) launched.add(id);
      paid += world.live().length * 2 * SECOND;
      if (at !== 4 * HOUR) continue;
      historian.hear('info', 'a message that is long enough to be cut somewhere in its middle by a disk');
      await historian.close();
      world.restart();
      historian = await begin();
    }
    await historian.close();
    assert.deepEqual(said, []);

    const { book } = await readBook(place, world.clock.wall());
    const hours = hoursOf(book);
    const clockIsBack = await readBook(place, world.clock.wall() - HOUR);
    assert.deepEqual(clockIsBack.unused, []);
    assert.ok(hoursOf(clockIsBack.book).length >= hours.length - 2, 'only entries of the future are dropped');
    const total = sumOf(
      hours.map(it => it.tally),
      0,
    );
    const near = (a: number, b: number, part: number, what: string) =>
      assert.ok(Math.abs(a - b) <= part * b, `${what}: ${a}, ${b}`);
    near(total.watched, 12 * HOUR, 0.01, 'watched');
    near(total.served, served, 0.02, 'served');
    near(total.existed, paid, 0.02, 'existed');
    assert.equal(total.launches, launched.size);
    const simulation = simulated(hours, world.configOf({}), book.bootTime);
    assert.ok(simulation);
    near(simulation.slaveHours, total.existed / HOUR, 0.05, 'slave-hours');
    near(simulation.requestsWithTooFewSlaves, total.tooFew, 0.05, 'requests that met too few slaves');
    near(simulation.dollars, total.dollars, 0.05, 'dollars');
    t.diagnostic(
      `slave-hours ${(total.existed / HOUR).toFixed(2)}, simulated ${simulation.slaveHours.toFixed(2)}; too few ${total.tooFew.toFixed(0)}, simulated ${simulation.requestsWithTooFewSlaves.toFixed(0)} of ${total.requests.toFixed(0)}; launches ${total.launches}, simulated ${simulation.launches}`,
    );

    for (const name of readdirSync(place.directory)) {
      const file = path.join(place.directory, name);
      assert.equal(statSync(file).mode & 0o777, 0o600, name);
      assert.doesNotMatch(readFileSync(file, 'utf8'), /secret|AKIA/);
      truncateSync(file, 100);
    }
    const damaged = await readBook(place, world.clock.wall());
    assert.equal(damaged.unused.length, 3);
    assert.deepEqual(hoursOf(damaged.book), []);
  });
}

test('with a load that is read every ten minutes, all of the time since a reading has its load', async t => {
  const place = { directory: directory(t), master: 'web1' };
  const world = createWorld({ load: 3, master: { pollInterval: 10 * MINUTE } });
  const historian = createHistorian({ place: () => place, clock: world.clock, log: world.log.log });
  world.start();
  for (let at = 0; at < 3 * HOUR; at += 10 * SECOND) {
    await world.run(10 * SECOND);
    historian.observe(world.balancer.state, world.now(), { perHour: 0, atMost: false });
  }
  await historian.close();
  const total = sumOf(
    hoursOf(historian.book()).map(it => it.tally),
    0,
  );
  assert.ok(total.known > 0.98 * 3 * HOUR, String(total.known / HOUR));
  assert.ok(Math.abs(total.requests - 3 * 3 * 3600) < 0.02 * 3 * 3 * 3600, String(total.requests));
});
