import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './world.ts';

test('the demonstration: slaves come and go in a minute, without an account and without a trace', async () => {
  const demo = run(['demo'], { PATH: '/usr/bin:/bin', HOME: '/nonexistent' });
  assert.equal(await demo.ended(90_000), 0);
  const log = demo.stderr();
  for (const event of [
    /launched i-/,
    /is ready after/,
    /farm: http/,
    /releasing slave/,
    /stopped|the demonstration is over/,
  ]) {
    assert.match(log, event);
  }
  assert.match(log, / 0 instances left; .*at the end:\n.*\n.*renderfarm = 0/);
  assert.doesNotMatch(log, /WARN|ERROR/);
});
