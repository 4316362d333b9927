import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { claimPidfile, readPidfile, removePidfile } from '../../src/daemon/pidfile.ts';
import { isUserError } from '../../src/errors.ts';
import { asRoot, directory, start, until } from './fixtures/run.ts';

const HOLDER = path.join(import.meta.dirname, 'fixtures/hold-pidfile.ts');

test('a pidfile holds our process id, for everyone to read, until it is removed', async t => {
  const here = directory(t);
  const file = path.join(here, 'balancer.pid');
  const pidfile = await claimPidfile(file);
  assert.equal(readFileSync(file, 'utf8'), `${process.pid}\n`);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(here), ['balancer.pid']);
  await pidfile.remove();
  assert.ok(!existsSync(file));
});

test('what a dead balancer left behind does not stop a start', async t => {
  const here = directory(t);
  const child = start(t, HOLDER, [path.join(here, 'other.pid')]);
  await until(() => existsSync(path.join(here, 'other.pid')));
  const contents = {
    'a process id that nobody has': '4194304\n',
    'another program’s': '1\n',
    'another balancer’s, with another pidfile': `${child.pid}\n`,
    'our own': `${process.pid}\n`,
    garbage: 'not a process id\n',
    'a negative number': '-1\n',
    nothing: '',
    binary: '\0\xff\0',
    'a long file': '1'.repeat(1000),
  };
  for (const [what, content] of Object.entries(contents)) {
    const file = path.join(here, 'stale.pid');
    writeFileSync(file, content);
    const pidfile = await claimPidfile(file);
    assert.equal(await readPidfile(file), process.pid, what);
    await pidfile.remove();
  }
});

test('a balancer that runs keeps its pidfile, however the path is written', async t => {
  const here = directory(t);
  const file = path.join(here, 'balancer.pid');
  const holder = start(t, HOLDER, [file]);
  await until(() => existsSync(file));
  symlinkSync(here, path.join(here, 'link'));
  for (const same of [file, path.join(here, 'link', 'balancer.pid'), path.relative(process.cwd(), file)]) {
    await assert.rejects(
      claimPidfile(same),
      error =>
        isUserError(error) && error.exitStatus === 1 && error.message.includes(`process ${holder.pid}`),
    );
  }
  assert.equal(await readPidfile(file), holder.pid);
});

test('of several that start at the same moment one gets the pidfile', async t => {
  const file = path.join(directory(t), 'balancer.pid');
  const all = [start(t, HOLDER, [file]), start(t, HOLDER, [file]), start(t, HOLDER, [file])];
  const refused = new Set<number>();
  for (const one of all) void one.ended.then(() => refused.add(one.pid));
  await until(() => refused.size === 2);
  const [owner] = all.filter(({ pid }) => !refused.has(pid));
  assert.equal(await readPidfile(file), owner?.pid);
});

test('a pidfile that is another’s by now is left alone', async t => {
  const file = path.join(directory(t), 'balancer.pid');
  const pidfile = await claimPidfile(file);
  writeFileSync(file, '4194304\n');
  await pidfile.remove();
  assert.equal(readFileSync(file, 'utf8'), '4194304\n');
  await removePidfile(file, 4_194_304);
  assert.ok(!existsSync(file));
  await removePidfile(file, 4_194_304);
});

test('a link in the place of the pidfile is replaced, not followed', async t => {
  const here = directory(t);
  const precious = path.join(here, 'precious');
  writeFileSync(precious, 'precious');
  symlinkSync(precious, path.join(here, 'balancer.pid'));
  const pidfile = await claimPidfile(path.join(here, 'balancer.pid'));
  t.after(() => pidfile.remove());
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
});

test('a pipe in the place of the pidfile holds nobody up', async t => {
  const file = path.join(directory(t), 'balancer.pid');
  execFileSync('mkfifo', [file]);
  const pidfile = await claimPidfile(file);
  assert.equal(await readPidfile(file), process.pid);
  await pidfile.remove();
});

test('a directory, as in the manual’s example, is a mistake on the command line', async t => {
  const here = directory(t);
  for (const file of [here, `${here}/`, path.join(here, 'missing/')]) {
    await assert.rejects(
      claimPidfile(file),
      error => isUserError(error) && error.exitStatus === 2 && /name a file in it/.test(error.message),
    );
  }
});

test('a place that does not exist is an error that says so', async t => {
  const file = path.join(directory(t), 'missing', 'balancer.pid');
  await assert.rejects(
    claimPidfile(file),
    error => isUserError(error) && error.exitStatus === 1 && /directory does not exist/.test(error.message),
  );
});

test('a place that a user may not write to is an error, and nothing is left', asRoot, async t => {
  const here = directory(t);
  mkdirSync(path.join(here, 'run'));
  chmodSync(path.join(here, 'run'), 0o755);
  const file = path.join(here, 'run', 'balancer.pid');
  process.seteuid?.('nobody');
  try {
    await assert.rejects(
      claimPidfile(file),
      error => isUserError(error) && /permission denied/.test(error.message),
    );
  } finally {
    process.seteuid?.(0);
  }
  assert.deepEqual(readdirSync(path.dirname(file)), []);
  const pidfile = await claimPidfile(file);
  await pidfile.remove();
});
