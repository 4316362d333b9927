import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { killDaemon } from '../../src/daemon/kill.ts';
import { lockState } from '../../src/daemon/lock.ts';
import { readPidfile, removeEmptyPidfile } from '../../src/daemon/pidfile.ts';
import { isUserError } from '../../src/errors.ts';
import { findProcess } from '../../src/os/process.ts';
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
  assert.equal(said[0], `waiting for process ${balancer.pid} to end: its slaves stay (5 s so far)`);
});

test('without a pidfile, or with one that is no balancer’s, nothing is signalled', async t => {
  const here = directory(t);
  const other = start(t, path.join(import.meta.dirname, 'fixtures/hold-lock.ts'), ['test:kill']);
  const balancer = start(t, HOLDER, [path.join(here, 'balancer.pid')]);
  await until(() => existsSync(path.join(here, 'balancer.pid')));
  const cases: [string, string | undefined, RegExp][] = [
    ['absent', undefined, /there is no pidfile/],
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

test('another user cannot end root’s balancer, and the message says so', asRoot, async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  const balancer = start(t, HOLDER, [pidfile]);
  await until(() => existsSync(pidfile));
  // Only the real user id counts for a signal.
  const other = start(t, path.join(import.meta.dirname, 'fixtures/kill-as-nobody.ts'), [pidfile]);
  assert.equal(await other.ended, 1);
  assert.match(other.stderr(), /no permission to end gbrowse-aws-balancer \(process \d+\)/);
  assert.ok(findProcess(balancer.pid) !== undefined);
});

test('root ends nothing for who can write the pidfile, but that user’s own balancer', asRoot, async t => {
  const here = directory(t);
  const at = (name: string) => path.join(here, name);
  const refused = (pidfile: string, why: RegExp) =>
    assert.rejects(
      killDaemon({ pidfile, keepSlaves: false, say }),
      error => isUserError(error) && why.test(error.message),
    );

  // In nobody's directory: a balancer of root's, whose pidfile nobody has exchanged or moved there.
  mkdirSync(at('nobodys'));
  const balancer = start(t, HOLDER, [at('nobodys/pid')]);
  await until(() => existsSync(at('nobodys/pid')));
  chownSync(at('nobodys'), 65_534, 65_534);
  await refused(at('nobodys/pid'), /is not a process of the user who owns .*nobodys \(user id 65534\)/);

  chownSync(at('nobodys'), 0, 0);
  chmodSync(at('nobodys'), 0o775);
  await refused(at('nobodys/pid'), /is not trusted, because others can write to .*nobodys/);
  assert.ok(findProcess(balancer.pid) !== undefined);

  // A process of nobody's that only says that it is a balancer, and holds the lock of the pidfile.
  mkdirSync(at('own'));
  chownSync(at('own'), 65_534, 65_534);
  const squatter = path.join(import.meta.dirname, 'fixtures/squat.ts');
  const fake = start(t, squatter, [`pidfile:${at('own/pid')}`], { argv0: 'gbrowse-aws-balancer' });
  await until(async () => (await lockState(`pidfile:${at('own/pid')}`)).state === 'claimed');
  writeFileSync(at('own/pid'), `${balancer.pid}\n`);
  await refused(at('own/pid'), /is stale/);
  writeFileSync(at('own/pid'), `${fake.pid}\n`);
  await killDaemon({ pidfile: at('own/pid'), keepSlaves: false, say });
  assert.equal(await fake.ended, 'SIGTERM');
  assert.ok(findProcess(balancer.pid) !== undefined);
});

test('one that never ends is not waited for beyond any time that a stop may take', async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  const balancer = start(t, HOLDER, [pidfile]);
  await until(() => existsSync(pidfile));
  process.kill(balancer.pid, 'SIGSTOP');
  await assert.rejects(
    killDaemon({ pidfile, keepSlaves: false, say, clock: fastClock() }),
    /process \d+ has not ended within 6 minutes; .*"kill -KILL \d+".* gc" then lists what is left in EC2/,
  );
});

test('a pidfile that the balancer could only empty is removed, and stands for none', async t => {
  const pidfile = path.join(directory(t), 'balancer.pid');
  writeFileSync(pidfile, '');
  assert.equal(await readPidfile(pidfile), 'absent');
  await removeEmptyPidfile(pidfile);
  assert.ok(!existsSync(pidfile));
  writeFileSync(pidfile, '1\n');
  await removeEmptyPidfile(pidfile);
  assert.ok(existsSync(pidfile));
});
