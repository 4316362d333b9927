import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Entry, formatJson, formatPlain, terminalFormat } from '../../src/log/format.ts';
import type { Level } from '../../src/log/log.ts';

const ESCAPE = '\x1b';

function entry(message: string, level: Level = 'info', fields: Entry['fields'] = {}): Entry {
  return { date: new Date('2026-11-22T15:31:51.123Z'), level, message, fields };
}

test('a plain line has UTC time, level and message in columns', () => {
  const cases: [Level, string][] = [
    ['info', '2026-11-22T15:31:51Z INFO  Slave i-1 is ready\n'],
    ['warn', '2026-11-22T15:31:51Z WARN  Slave i-1 is ready\n'],
    ['error', '2026-11-22T15:31:51Z ERROR Slave i-1 is ready\n'],
    ['debug', '2026-11-22T15:31:51Z DEBUG Slave i-1 is ready\n'],
  ];
  for (const [level, line] of cases) assert.equal(formatPlain(entry('Slave i-1 is ready', level)), line);
});

test('every line of a message has time and level in the plain log, and no message can control a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), message => {
      const text = formatPlain(entry(message));
      assert.ok(text.endsWith('\n'));
      for (const line of text.slice(0, -1).split('\n')) {
        assert.match(line, /^2026-11-22T15:31:51Z INFO/);
        assert.doesNotMatch(line.replaceAll('\t', ''), /\p{Cc}/u);
      }
    }),
  );
});

test('what would steer a terminal is shown', () => {
  assert.equal(formatPlain(entry('a\x1b[2Jb\rc')), '2026-11-22T15:31:51Z INFO  a\\x1b[2Jb\\x0dc\n');
});

test('a JSON line has time, level and message, and the fields beside them cannot replace these', () => {
  const text = formatJson(
    entry('two\nlines', 'warn', { slave: 'i-1', slaves: 3, zones: ['a', 'b'], level: 'forged' }),
  );
  assert.deepEqual(JSON.parse(text), {
    time: '2026-11-22T15:31:51.123Z',
    level: 'warn',
    message: 'two\nlines',
    slave: 'i-1',
    slaves: 3,
    zones: ['a', 'b'],
  });
  assert.equal(text.indexOf('\n'), text.length - 1);
});

test('on a terminal further lines stand below the first, with and without colours', () => {
  const plain = terminalFormat(false)(entry('one\ntwo', 'error'));
  assert.match(plain, /^\d\d:\d\d:51 error one\n {15}two\n$/);
  const coloured = terminalFormat(true)(entry('one\ntwo', 'error'));
  assert.ok(coloured.includes(ESCAPE));
  assert.equal(coloured.replaceAll(new RegExp(`${ESCAPE}\\[[\\d;]*m`, 'g'), ''), plain);
});
