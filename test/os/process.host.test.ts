import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isBalancer, isBalancerTitle } from '../../src/daemon/self.ts';
import {
  allProcesses,
  belongsTo,
  commandLineOf,
  findProcess,
  isStillThere,
  processIn,
  startOf,
  uidsOf,
} from '../../src/os/process.ts';
import { childrenOf, start, until } from '../daemon/fixtures/run.ts';

test('a process is ours by the name that it shows', () => {
  const cases: [string, boolean][] = [
    ['/usr/bin/gbrowse-aws-balancer', true],
    ['gbrowse-aws-balancer --conf c', true],
    ['./gbrowse-aws-balancer', true],
    ['gbrowse-aws-balancer: keeper', false],
    ['/usr/bin/perl', false],
    ['vim gbrowse-aws-balancer', false],
    ['gbrowse-aws-balancer-old', false],
    ['', false],
  ];
  for (const [title, ours] of cases) assert.equal(isBalancerTitle(title), ours, title);
});

test('a living process is found, and told from a later one of the same id', () => {
  const self = findProcess(process.pid);
  assert.ok(self !== undefined);
  assert.ok(isStillThere(self));
  assert.ok(!isStillThere({ ...self, startTime: '1' }));
  assert.equal(findProcess(4_194_304), undefined);
});

test('a zombie counts as gone, even if nobody has reaped it', async t => {
  // exec leaves a process that knows nothing of the child that it has got.
  const parent = spawn('/bin/sh', ['-c', 'true & exec sleep 60'], { stdio: 'ignore' });
  t.after(() => parent.kill('SIGKILL'));
  const { pid = 0 } = parent;
  const listed = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n' && listed() !== '');
  const zombie = Number(listed());
  await until(() => readFileSync(`/proc/${zombie}/stat`, 'utf8').includes(') Z '));
  assert.equal(findProcess(zombie), undefined);
  assert.deepEqual(childrenOf(pid), []);
});

test('once its arguments are hidden, nothing of them remains visible, and the process goes by our name', async t => {
  const script = path.join(import.meta.dirname, '../daemon/fixtures/hide-arguments.ts');
  const secret = 'wJalrXUtnFEMI';
  const child = start(t, script, [
    '--secret_key',
    secret,
    '--access_key',
    'x'.repeat(300),
    '--conf',
    '/etc/c',
    secret,
  ]);
  const shown = () => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
  await until(() => shown().startsWith('gbrowse'));
  assert.equal(shown().replaceAll('\0', ''), 'gbrowse-aws-balancer --conf /etc/c');
  assert.ok(isBalancer(child.pid));
});

test('a name with blanks and brackets does not shift the other fields', () => {
  const rest = `S 7 ${Array(17).fill('0').join(' ')} 4711 0`;
  assert.deepEqual(processIn(`42 (a) S 1 (b) ${rest}`), {
    pid: 42,
    parent: 7,
    name: 'a) S 1 (b',
    startTime: '4711',
  });
  for (const text of ['', '42', '42 ) (', `42 (x) ${rest.replace('S', 'Z')}`]) {
    assert.equal(processIn(text), undefined, text);
  }
});

test('of a command line no more than 4 kB is read, however long it is', async t => {
  const child = spawn('sleep', ['60'], { argv0: 'x'.repeat(100_000), stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  await until(() => findProcess(pid)?.name === 'sleep');
  assert.deepEqual(commandLineOf(pid), ['x'.repeat(4096)]);
});

test('this process is listed with its parent, its user and its start', () => {
  const self = allProcesses().get(process.pid);
  assert.equal(self?.parent, process.ppid);
  const uid = process.getuid?.() ?? -1;
  assert.deepEqual(uidsOf(process.pid), { real: uid, effective: uid, saved: uid });
  assert.ok(belongsTo(process.pid, uid));
  assert.ok(!belongsTo(process.pid, uid + 1));
  const started = self === undefined ? 0 : startOf(self);
  const expected = Date.now() - process.uptime() * 1000;
  assert.ok(Math.abs(started - expected) < 60_000, `${started} is not about ${expected}`);
});
