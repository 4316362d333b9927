import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findProcess, isBalancer, isStillThere } from '../../src/daemon/process.ts';
import { childrenOf, start, until } from './fixtures/run.ts';

test('a process is ours by the name that it shows', () => {
  const cases: [string, boolean][] = [
    ['/usr/bin/gbrowse-aws-balancer\0--conf\0c\0', true],
    ['gbrowse-aws-balancer --conf c\0\0\0\0', true],
    ['./gbrowse-aws-balancer\0', true],
    ['gbrowse-aws-balancer: keeper\0\0', false],
    ['/usr/bin/perl\0/usr/bin/gbrowse-aws-balancer\0', false],
    ['vim\0gbrowse-aws-balancer\0', false],
    ['gbrowse-aws-balancer-old\0', false],
    ['', false],
  ];
  for (const [command, ours] of cases) {
    assert.equal(isBalancer({ pid: 1, startTime: '1', command }), ours, JSON.stringify(command));
  }
});

test('a living process is found, and told from a later one of the same id', () => {
  const self = findProcess(process.pid);
  assert.ok(self !== undefined);
  assert.ok(isStillThere(self));
  assert.ok(!isStillThere({ ...self, startTime: '1' }));
  assert.equal(findProcess(4_194_304), undefined);
});

test('a zombie is gone, whoever forgot to reap it', async t => {
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
  const script = path.join(import.meta.dirname, 'fixtures/hide-arguments.ts');
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
  const found = findProcess(child.pid);
  assert.ok(found !== undefined && isBalancer(found));
});
