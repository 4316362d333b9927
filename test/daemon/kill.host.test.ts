import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { killDaemon } from '../../src/daemon/kill.ts';
import { readPidfile } from '../../src/daemon/pidfile.ts';
import { findProcess } from '../../src/daemon/process.ts';
import { isUserError } from '../../src/errors.ts';
import { asRoot, directory, start, until } from './fixtures/run.ts';

const HOLDER = path.join(import.meta.dirname, 'fixtures/hold-pidfile.ts');

/** A clock by which each look is a second after the last, and which lets real time pass too. */
function fastClock(): Clock {
  let now = 0;
  return {
    wall: () => now,
    monotonic: () => now,
    async sleep() {
      now += 1_000;
      await new Promise(done => setTimeout(done, 5));
    },
  };
}

function say(): void {}

test('the balancer of a pidfile is ended, and is gone when the command returns', async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  const balancer = start(t, HOLDER, [pidfile]);
  await until(() => existsSync(pidfile));
  await killDaemon({ pidfile, keepSlaves: false, say });
  assert.equal(findProcess(balancer.pid), undefined);
  assert.equal(await balancer.ended, 0);
  assert.equal(await readPidfile(pidfile), 'absent');
});

test('while a balancer cleans up, the person who waits is told every few seconds', async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  const balancer = start(t, HOLDER, [pidfile]);
  await until(() => existsSync(pidfile));
  const said: string[] = [];
  await killDaemon({ pidfile, keepSlaves: true, say: message => said.push(message), clock: fastClock() });
  assert.equal(findProcess(balancer.pid), undefined);
  assert.equal(said[0], `Waiting for process ${balancer.pid} to end: its slaves stay (5 s so far).`);
});

test('without a pidfile, or with one that is no balancer’s, nothing is signalled', async t => {
  const here = directory(t);
  const other = start(t, path.join(import.meta.dirname, 'fixtures/hold-lock.ts'), ['test:kill']);
  const balancer = start(t, HOLDER, [path.join(here, 'balancer.pid')]);
  await until(() => existsSync(path.join(here, 'balancer.pid')));
  const cases: [string, string | undefined, RegExp][] = [
    ['absent', undefined, /There is no pidfile/],
    ['garbage', 'abc', /does not hold a process id/],
    ['dead', '4194304', /is stale: process 4194304 is not running/],
    ['another-program', String(other.pid), /is stale: .* is not the gbrowse-aws-balancer that wrote it/],
    ['another-balancer', String(balancer.pid), /is stale: .* is not the gbrowse-aws-balancer that wrote it/],
  ];
  for (const [name, content, reason] of cases) {
    const pidfile = path.join(here, name);
    if (content !== undefined) writeFileSync(pidfile, content);
    await assert.rejects(
      killDaemon({ pidfile, keepSlaves: false, say }),
      error => isUserError(error) && error.exitStatus === 1 && reason.test(error.message),
      name,
    );
  }
  assert.ok(findProcess(other.pid) !== undefined);
  assert.ok(findProcess(balancer.pid) !== undefined);
});

test('a balancer of root’s cannot be ended by somebody else, and that is said', asRoot, async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  const balancer = start(t, HOLDER, [pidfile]);
  await until(() => existsSync(pidfile));
  // Only the real user id counts for a signal.
  const other = start(t, path.join(import.meta.dirname, 'fixtures/kill-as-nobody.ts'), [pidfile]);
  assert.equal(await other.ended, 1);
  assert.match(other.stderr(), /Not permitted to end gbrowse-aws-balancer \(process \d+\)/);
  assert.ok(findProcess(balancer.pid) !== undefined);
});
