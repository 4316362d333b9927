import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnChart, sparkline, squeezed } from '../../src/format/charts.ts';

test('a sparkline has a character a value, the higher the larger, and a blank for what is not known', () => {
  assert.equal(sparkline([0, 1, 4, 8, null], true), '▁▂▅█ ');
  assert.equal(sparkline([0, 1, 4, 8, null], false), '_.=# ');
  assert.equal(sparkline([0, 0], true), '▁▁');
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2 }), values => {
      const line = sparkline(values, true);
      assert.equal(line.length, values.length);
      for (const [index, value] of values.entries()) {
        assert.equal(line[index] === '▁', value === 0);
        const next = values[index + 1] ?? value;
        if (value < next) assert.ok((line[index] ?? '') <= (line[index + 1] ?? ''));
      }
    }),
  );
});

test('a chart that has no room shows the peaks', () => {
  assert.deepEqual(squeezed([1, 9, 2, null, null, null, 3, 4], 4), [9, 2, null, 4]);
  assert.deepEqual(squeezed([1, 2], 4), [1, 2]);
});

test('a column chart has columns of the heights of the values, and shows what is not nothing', () => {
  const style = { width: 5, rows: 2, unicode: true };
  assert.deepEqual(columnChart([0, 0.001, 0.5, 0.75, 1], 1, style), ['   ▄█', ' ▁███']);
  assert.deepEqual(columnChart([0, 0.001, 0.5, 1], 1, { ...style, unicode: false }), ['   #', ' .##']);
  assert.deepEqual(columnChart([0, 0], 0, style), ['  ', '  ']);
});
