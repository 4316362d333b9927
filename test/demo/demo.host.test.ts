import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { follow } from '../e2e/world.ts';

test('the demonstration: slaves come and go in a minute, without an account and without a trace', async () => {
  const demo = follow(
    spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
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
