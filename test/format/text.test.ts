import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { harmless } from '../../src/format/harmless.ts';
import { alignedRows } from '../../src/format/tables.ts';
import { clockTime } from '../../src/format/times.ts';
import { wrapped } from '../../src/format/wrap.ts';

test('text is broken between words, and nothing of it is lost', () => {
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (given, width) => {
      const lines = wrapped(given, width);
      for (const line of lines) assert.ok(line.length <= width);
      assert.equal(lines.join('').replaceAll(' ', ''), given.replaceAll(' ', ''));
    }),
  );
  assert.equal(harmless('a\n  b\u001b[2J'), 'a b\\x1b[2J');
});

test('a clock time has its date where that is another day than today', () => {
  assert.match(clockTime('2026-11-21T12:00:01.000Z', '2026-11-21T12:00:05.000Z'), /^\d\d:\d\d:01$/);
  assert.match(
    clockTime('2026-11-21T12:00:01.000Z', '2026-11-25T12:00:00.000Z'),
    /^2026-11-2\d \d\d:\d\d:01$/,
  );
});

test('a table has its columns below each other, whatever colours its cells have', () => {
  const red = { text: 'bad', painted: '\u001b[31mbad\u001b[0m' };
  assert.deepEqual(
    alignedRows(
      [
        ['a', '1', 'x'],
        ['long', '22', ''],
        [red, '3', 'y'],
      ],
      { right: at => at === 1 },
    ),
    ['a      1  x', 'long  22', '\u001b[31mbad\u001b[0m    3  y'],
  );
});
