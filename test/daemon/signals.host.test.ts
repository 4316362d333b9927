import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { handleSignals } from '../../src/daemon/signals.ts';
import { start, until } from './fixtures/run.ts';

/** What the handlers are called with, when these signals come at these moments (ms). */
function called(t: TestContext, signals: readonly (readonly [NodeJS.Signals, number])[]): readonly string[] {
  const calls: string[] = [];
  let now = 0;
  const remove = handleSignals(
    {
      stop: signal => calls.push(`stop ${signal}`),
      stopNow: signal => calls.push(`now ${signal}`),
      stopKeepingSlaves: () => calls.push('keep'),
      reload: () => calls.push('reload'),
    },
    { wall: () => now, monotonic: () => now, sleep: async () => {} },
  );
  t.after(remove);
  for (const [signal, at] of signals) {
    now = at;
    // Not process.emit: the test runner has listeners of its own.
    process.listeners(signal).at(-1)?.(signal);
  }
  remove();
  return calls;
}

test('the first signal stops, the second does not wait, SIGHUP reloads', t => {
  const cases: [(readonly [NodeJS.Signals, number])[], string[]][] = [
    [[['SIGTERM', 0]], ['stop SIGTERM']],
    [[['SIGINT', 0]], ['stop SIGINT']],
    [[['SIGUSR2', 0]], ['keep']],
    [
      [
        ['SIGTERM', 0],
        ['SIGTERM', 1],
      ],
      ['stop SIGTERM', 'now SIGTERM'],
    ],
    [
      [
        ['SIGINT', 0],
        ['SIGTERM', 1],
      ],
      ['stop SIGINT', 'now SIGTERM'],
    ],
    [
      [
        ['SIGUSR2', 0],
        ['SIGTERM', 1],
      ],
      ['keep', 'now SIGTERM'],
    ],
    [
      [
        ['SIGHUP', 0],
        ['SIGHUP', 1],
        ['SIGTERM', 2],
        ['SIGHUP', 3],
      ],
      ['reload', 'reload', 'stop SIGTERM', 'reload'],
    ],
    // One Ctrl-C, from the terminal and from npm.
    [
      [
        ['SIGINT', 0],
        ['SIGINT', 20],
      ],
      ['stop SIGINT'],
    ],
    [
      [
        ['SIGINT', 0],
        ['SIGINT', 20],
        ['SIGINT', 1000],
      ],
      ['stop SIGINT', 'now SIGINT'],
    ],
  ];
  for (const [signals, expected] of cases)
    assert.deepEqual(called(t, signals), expected, JSON.stringify(signals));
});

test('handlers that were removed are not called', () => {
  const before = process.listenerCount('SIGTERM');
  const remove = handleSignals({ stop() {}, stopNow() {}, stopKeepingSlaves() {}, reload() {} });
  assert.equal(process.listenerCount('SIGTERM'), before + 1);
  remove();
  assert.equal(process.listenerCount('SIGTERM'), before);
});

test('a reader of the output that goes away does not end the balancer', async t => {
  const child = start(t, path.join(import.meta.dirname, 'fixtures/talk.ts'));
  await until(() => child.stderr().includes('talking'));
  child.child.stderr?.destroy();
  assert.equal(await child.ended, 7);
});
