import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { initialState } from '../../src/balancer/state.ts';
import { HOUR, systemClock } from '../../src/clock.ts';
import type { Level, Log } from '../../src/log/log.ts';
import { notifyFileOf } from '../../src/notify/book-file.ts';
import { createNotifier } from '../../src/notify/notifier.ts';
import { send } from '../../src/notify/send.ts';
import { createWorld } from '../balancer/world.ts';
import { directory, type Scope, until } from '../daemon/fixtures/run.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

/** A notifier with a real command that appends its topic and event to a file; its wall clock can be moved. */
function setUp(t: Scope, place = directory(t)) {
  chmodSync(place, 0o777);
  const told = path.join(place, 'told');
  const lines: string[] = [];
  const line = (level: Level) => (message: string) => void lines.push(`${level}: ${message}`);
  const log: Log = { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
  let ahead = 0;
  const notifier = createNotifier({
    place: () => ({ directory: place, master: 'web1' }),
    clock: { ...systemClock, wall: () => Date.now() + ahead },
    log,
    redact: it => it,
    send: (command, letter, options) =>
      send(command, letter, { ...options, ...(process.getuid?.() === 0 && { as: NOBODY }) }),
  });
  function stateWith(command: string | undefined, isGone: boolean) {
    const config = createWorld({ master: command === undefined ? {} : { notify: command } }).configOf();
    const state = initialState({ config, runId: 'run', listed: [], followsConfig: false, now: 0 });
    if (isGone) state.missing = { why: 'there is no AMI', by: 'prepare' };
    else state.backoff = { ...state.backoff, launches: [1] };
    return state;
  }
  return {
    place,
    lines,
    notifier,
    append: `echo "$TOPIC $EVENT" >> ${told}`,
    told: () => (existsSync(told) ? readFileSync(told, 'utf8').split('\n').filter(Boolean) : []),
    observe: (command: string | undefined, isGone: boolean) =>
      notifier.observe(stateWith(command, isGone), 1),
    passes(ms: number) {
      ahead += ms;
    },
    last: () => until(() => notifier.notified().last),
  };
}

describe('a balancer that tells of troubles', () => {
  test('tells once, keeps that over a restart in a file of its own, and tells the end', async t => {
    const first = setUp(t);
    await first.notifier.open();
    first.observe(first.append, true);
    first.observe(first.append, true);
    await first.last();
    assert.deepEqual(first.told(), ['image trouble']);
    assert.deepEqual(first.notifier.notified().open, ['image']);
    await first.notifier.close();
    const file = notifyFileOf({ directory: first.place, master: 'web1' });
    assert.equal(statSync(file).mode & 0o777, 0o600);

    const second = setUp(t, first.place);
    await second.notifier.open();
    assert.equal(second.notifier.notified().last?.topic, 'image');
    second.observe(second.append, true);
    second.observe(second.append, false);
    second.passes(HOUR);
    second.observe(second.append, false);
    await until(() => second.told().length > 1);
    await second.notifier.close();
    assert.deepEqual(second.told(), ['image trouble', 'image over']);
    assert.deepEqual(second.notifier.notified().open, []);
  });

  test('logs a failure of the command once, and tells the trouble again after an hour', async t => {
    const it = setUp(t);
    await it.notifier.open();
    for (const command of ['exit 3', 'exit 3', it.append]) {
      const before = it.notifier.notified().last;
      it.observe(command, true);
      await until(() => it.notifier.notified().last !== before);
      it.passes(HOUR);
    }
    assert.deepEqual(it.told(), ['image trouble']);
    const said = it.lines.filter(line => !line.startsWith('debug'));
    assert.deepEqual(said, [
      'warn: nobody was told of a trouble (image): [MASTER] notify failed with exit status 3',
      'info: [MASTER] notify works again',
    ]);
    await it.notifier.close();
  });

  test('tells nothing without a command, and what is still so when there is one', async t => {
    const it = setUp(t);
    await it.notifier.open();
    it.observe(undefined, true);
    assert.deepEqual(it.notifier.notified(), { last: undefined, open: [] });
    it.observe(it.append, true);
    await it.last();
    assert.deepEqual(it.told(), ['image trouble']);
    await it.notifier.close();
  });

  test('begins anew, with a warning, when its file is damaged', async t => {
    const it = setUp(t);
    const file = notifyFileOf({ directory: it.place, master: 'web1' });
    for (const text of ['', '{"kind":"notify"', 'x'.repeat(10_000)]) {
      writeFileSync(file, '', { mode: 0o600 });
      appendFileSync(file, text);
      await it.notifier.open();
    }
    assert.equal(
      it.lines.filter(line => /^warn: .* is not used, so a trouble may be told again/.test(line)).length,
      3,
    );
    it.observe(it.append, true);
    await it.last();
    assert.deepEqual(it.told(), ['image trouble']);
    await it.notifier.close();
  });

  test('says once that what was told cannot be kept, and tells all the same', async t => {
    const it = setUp(t);
    const gone = path.join(it.place, 'gone');
    const lines: string[] = [];
    const notifier = createNotifier({
      place: () => ({ directory: gone, master: 'web1' }),
      clock: systemClock,
      log: { error() {}, warn: line => void lines.push(line), info() {}, debug() {} },
      redact: text => text,
      send: async () => {},
    });
    await notifier.open();
    const state = initialState({
      config: createWorld({ master: { notify: 'true' } }).configOf(),
      runId: 'run',
      listed: [],
      followsConfig: false,
      now: 0,
    });
    state.missing = { why: 'there is no AMI', by: 'prepare' };
    notifier.observe(state, 1);
    await until(() => notifier.notified().last);
    await notifier.close();
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^what was told cannot be kept, so it is told again after a restart: its directory/,
    );
  });
});
