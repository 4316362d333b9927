import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus } from '../../src/load/fetch.ts';
import { type Load, NO_LOAD, noteReading, noteRequest } from '../../src/load/rate.ts';
import { isPage, type StatusPage } from '../../src/load/reading.ts';
import { rangeFor } from '../../src/policy/load-table.ts';
import { climb } from '../../src/policy/overload.ts';
import { type Apache, type ApacheOptions, apacheMissing, startApache } from '../peers/apache.ts';
import { SLOW_SITE_MODULES, startFlood, startSlowSite } from '../peers/slow-site.ts';

const skip = apacheMissing('status');
/** The poll interval of the flood's balancer, and so its time limit for the page. */
const POLL = 3_000;

async function apache(t: TestContext, options: ApacheOptions = {}): Promise<Apache> {
  const server = await startApache(options);
  t.after(() => server.stop());
  return server;
}

async function visit(server: Apache, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await (await fetch(`${server.origin}/`)).text();
}

/** A balancer's view of this server: polls it and keeps the load. */
function watcher(server: Apache) {
  const read = readStatus(server.statusUrl, { timeLimit: 10_000 });
  let load: Load = NO_LOAD;
  return async (): Promise<{ load: Load; reading: StatusPage; at: number }> => {
    load = noteRequest(load);
    const reading = await read();
    assert.ok(isPage(reading));
    const at = performance.now();
    load = noteReading(load, reading, at);
    return { load, reading, at };
  };
}

/** Polls, often, until there is a load; the number of users' requests that it stands for. */
async function usersSince(first: number, poll: ReturnType<typeof watcher>): Promise<number> {
  for (;;) {
    const { load, at } = await poll();
    if (load.rate !== undefined) return Math.round((load.rate * (at - first)) / 1000);
    await sleep(50);
  }
}

describe('against a real Apache', { skip, concurrency: true }, () => {
  for (const mpm of ['event', 'prefork'] as const) {
    test(`the load of a real Apache (${mpm}) is its users' requests, across a graceful restart`, async t => {
      const server = await apache(t, { mpm });
      const poll = watcher(server);
      const { at: first } = await poll();
      await visit(server, 25);
      await server.graceful();
      await visit(server, 15);
      assert.equal(await usersSince(first, poll), 40);
    });
  }

  test('a restart of Apache is no negative load', async t => {
    const server = await apache(t);
    const poll = watcher(server);
    await poll();
    await visit(server, 50);
    // RestartTime is in whole seconds.
    await sleep(1_000);
    await server.restart();
    await visit(server, 10);
    const { load, reading } = await poll();
    assert.ok(reading.totalAccesses <= 10, 'the counters have started over');
    assert.equal(load.rate, undefined);
  });

  test('a flood on 16 workers is overload, and calls for slaves within three polls', {
    skip: apacheMissing(...SLOW_SITE_MODULES),
  }, async t => {
    const server = await startSlowSite('sleep 8');
    t.after(() => server.stop());
    // The manual's table, and what the policy makes of it.
    const table = [
      { requestsPerSecond: 1, min: 1, max: 3 },
      { requestsPerSecond: 5, min: 3, max: 6 },
    ];
    const read = readStatus(server.statusUrl, { timeLimit: POLL });
    let [load, counted]: [Load, number] = [NO_LOAD, 0];
    const poll = async () => {
      load = noteRequest(load);
      const reading = await read();
      load = noteReading(load, reading, performance.now());
      counted = load.overload === undefined ? 0 : climb(table, load.rate ?? 0, counted);
      await sleep(500);
      return rangeFor(table, Math.max(load.rate ?? 0, counted)).min;
    };
    assert.deepEqual([await poll(), await poll()], [0, 0], 'nobody is there');
    const people = startFlood(`${server.origin}/slow`, 60);
    t.after(() => people.stop());
    await sleep(2_000);
    const wanted = [await poll(), await poll(), await poll()];
    assert.ok(Math.max(...wanted) >= 1, `slaves wanted at the three polls: ${wanted}`);
    assert.ok(load.overload !== undefined);

    await people.stop();
    for (let left = 60; load.overload !== undefined && left > 0; left--) await poll();
    assert.equal(load.overload, undefined, 'the overload is over with the flood');
  });

  const REFUSALS: Record<string, [options: ApacheOptions, says: RegExp]> = {
    'ExtendedStatus Off': [{ extendedStatus: false }, /ExtendedStatus is Off[\s\S]*ExtendedStatus On$/],
    'a status page that is forbidden': [{ access: 'all denied' }, /403 Forbidden.*Require local/],
    'no mod_status': [{ modStatus: false }, /404 Not Found[\s\S]*<Location "\/server-status">/],
    'another page in its place': [
      { modStatus: false, lines: ['Alias /server-status "@DIR@/htdocs/index.html"'] },
      /not mod_status: the answer is another page[\s\S]*<Location "\/server-status">/,
    ],
  };

  for (const [what, [options, says]] of Object.entries(REFUSALS)) {
    test(`a real Apache with ${what} is an error that says what to configure`, async t => {
      const server = await apache(t, options);
      const read = readStatus(server.statusUrl, { timeLimit: 10_000 });
      await assert.rejects(read(), { name: 'UserError', message: says });
    });
  }

  test('what the advice says to configure works on a real Apache', async t => {
    const without = await apache(t, { modStatus: false });
    const advice = await readStatus(without.statusUrl, { timeLimit: 10_000 })().catch(
      (error: Error) => error.message,
    );
    assert.ok(typeof advice === 'string');
    const server = await apache(t, {
      modStatus: false,
      modules: ['status'],
      lines: advice
        .split('\n')
        .filter(line => /^ {4}/.test(line))
        .slice(0, 5),
    });
    const reading = await readStatus(server.statusUrl, { timeLimit: 10_000 })();
    assert.ok(isPage(reading));
    assert.equal(reading.totalAccesses, 0);
  });
});
