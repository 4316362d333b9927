import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { HOUR, SECOND } from '../../src/clock.ts';
import { followPause } from '../../src/pause/follow.ts';
import { pauseFileOf, removePause, writePause } from '../../src/pause/pause-file.ts';
import type { Pause } from '../../src/policy/pause.ts';
import { directory } from '../daemon/fixtures/run.ts';

test('a pause holds until its end, and then its file is removed; a damaged file is reported once and has no effect', async t => {
  const place = { directory: directory(t), master: 'web1' };
  const file = pauseFileOf(place);
  let wall = Date.UTC(2026, 10, 25);
  const said: string[] = [];
  const quiet = () => {};
  const pauses = followPause({
    place: () => place,
    clock: { wall: () => wall, monotonic: () => 0, sleep: () => Promise.resolve() },
    log: { error: quiet, warn: message => said.push(message), info: quiet, debug: quiet },
  });
  assert.equal(await pauses.read(), undefined);

  const pause: Pause = { since: wall, until: wall + HOUR, release: true };
  await writePause(place, wall, pause);
  assert.deepEqual(await pauses.read(), pause);
  wall += HOUR - SECOND;
  assert.deepEqual(await pauses.read(), pause);
  wall += SECOND;
  assert.equal(await pauses.read(), undefined);
  assert.equal(existsSync(file), false);

  writeFileSync(file, '{"kind":"pause"', { mode: 0o600 });
  for (let times = 0; times < 3; times += 1) assert.equal(await pauses.read(), undefined);
  assert.deepEqual(said.length, 1);
  assert.match(
    said[0] ?? '',
    /pause-[0-9a-f]+\.state is not used, so there is no pause: it is incomplete or damaged/,
  );

  const endless: Pause = { since: wall, release: false };
  await writePause(place, wall, endless);
  const told: (Pause | undefined)[] = [];
  const over = new AbortController();
  await pauses.follow(it => {
    told.push(it);
    if (told.length === 2) over.abort('over');
    return removePause(place);
  }, over.signal);
  assert.deepEqual(told, [endless, undefined]);
});
