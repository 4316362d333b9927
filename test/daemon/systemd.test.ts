import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { forJournal, takeServiceManager } from '../../src/daemon/systemd.ts';

/** What was said to a service manager, in its order, each message as slow as the one before it was quick. */
function recorder() {
  const said: string[] = [];
  let delay = 4;
  return {
    said,
    async notify(_socket: string, assignments: readonly string[]) {
      delay = 4 - delay;
      for (let turn = 0; turn < delay; turn++) await Promise.resolve();
      said.push(assignments[0] ?? '');
    },
  };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

function withTimers(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  return {
    async tick(ms: number) {
      t.mock.timers.tick(ms);
      await settled();
    },
  };
}

test('what systemd put into the environment is taken out of it, so that no child has it', () => {
  const environment = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1', PATH: '/bin' };
  takeServiceManager(environment).close();
  assert.deepEqual(environment, { PATH: '/bin' });
});

test('without systemd nobody is told anything', async t => {
  const { tick } = withTimers(t);
  const { said, notify } = recorder();
  const manager = takeServiceManager({ WATCHDOG_USEC: '1000000' }, notify);
  manager.ready();
  manager.stopping();
  await tick(60_000);
  assert.deepEqual(said, []);
});

test('a reload is reported from its beginning to its end, in order', async () => {
  const { said, notify } = recorder();
  const manager = takeServiceManager({ NOTIFY_SOCKET: '/run/x' }, notify);
  manager.ready();
  manager.reloading();
  manager.ready();
  await settled();
  assert.deepEqual(said, ['READY=1', 'RELOADING=1', 'READY=1']);
});

test('the watchdog is notified twice a period, from the end of the start until the notifier is closed', async t => {
  const { tick } = withTimers(t);
  const { said, notify } = recorder();
  const manager = takeServiceManager({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '4000000' }, notify);
  await tick(10_000);
  assert.deepEqual(said, []);
  manager.ready();
  manager.ready();
  await tick(2_000);
  await tick(2_000);
  assert.deepEqual(said, ['READY=1', 'READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  manager.close();
  await tick(10_000);
  assert.equal(said.length, 4);
});

test('a watchdog that is meant for another process is left alone', async t => {
  const { tick } = withTimers(t);
  const { said, notify } = recorder();
  const other = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '4000000', WATCHDOG_PID: '1' };
  takeServiceManager(other, notify).ready();
  await tick(10_000);
  assert.deepEqual(said, ['READY=1']);
});

test('a stop that takes long asks for more time again and again', async t => {
  const { tick } = withTimers(t);
  const messages: string[][] = [];
  const manager = takeServiceManager(
    { NOTIFY_SOCKET: '/run/x' },
    async (_, said) => void messages.push([...said]),
  );
  manager.stopping();
  await tick(30_000);
  assert.deepEqual(messages, [
    ['STOPPING=1', 'EXTEND_TIMEOUT_USEC=90000000'],
    ['EXTEND_TIMEOUT_USEC=90000000'],
  ]);
  manager.close();
});

test('the journal gets the level as a number and no time; other streams get what they always got', () => {
  let text = '';
  const stream = { write: (more: string) => (text += more) };
  const { dev, ino } = fstatSync(2);
  const lines =
    '2026-11-22T15:31:51Z WARN  one\n2026-11-22T15:31:51Z INFO  two\n2026-11-22T15:31:51Z ERROR three\n';
  forJournal(stream, { JOURNAL_STREAM: `${dev}:${ino}` }).write(lines);
  assert.equal(text, '<4>one\n<6>two\n<3>three\n');
  for (const environment of [{}, { JOURNAL_STREAM: `${dev}:${ino + 1}` }]) {
    assert.equal(forJournal(stream, environment), stream);
  }
});
