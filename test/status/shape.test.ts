import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { METRICS } from '../../src/status/metrics.ts';
import { REPORT, SLAVE_STATES } from '../../src/status/report.ts';
import { isList, misfit, type Shape } from '../../src/status/shape.ts';
import { report, slave, troubled } from './fixtures/report.ts';

const MANUAL = readFileSync(
  path.resolve(import.meta.dirname, '../../packaging/man/gbrowse-aws-balancer.1'),
  'utf8',
);

test('a report fits its shape, and one that lacks something or has something else in its place does not', () => {
  for (const good of [report([]), report([slave(0), slave(1)]), troubled()]) {
    assert.equal(misfit(REPORT, good), undefined);
  }
  assert.equal(misfit(REPORT, { ...report([]), wanted: null }), undefined);
  assert.equal(misfit(REPORT, { ...report([]), time: 'yesterday' }), 'time');
  assert.equal(misfit(REPORT, { ...report([]), slaves: null }), 'slaves');
  assert.equal(
    misfit(REPORT, { ...report([]), money: { ...report([]).money, pricePerHour: Number.NaN } }),
    'money.pricePerHour',
  );
});

test('without any one of its values it is none, and nothing that is thrown at it is more than a misfit', () => {
  const good = troubled();
  const cut = fc.constantFrom(...pathsIn(REPORT).filter(it => !it.includes('[')));
  fc.assert(
    fc.property(cut, name => {
      const copy: Record<string, unknown> = structuredClone(good);
      const steps = name.split('.');
      let at: unknown = copy;
      for (const step of steps.slice(0, -1)) at = Object.entries(at ?? {}).find(([key]) => key === step)?.[1];
      if (at !== null && typeof at === 'object') Reflect.deleteProperty(at, steps.at(-1) ?? '');
      assert.equal(misfit(REPORT, copy), at === null ? undefined : name);
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      assert.equal(typeof misfit(REPORT, value), 'string');
    }),
  );
});

/** `slaves[].address`, for all values of a shape. */
function pathsIn(shape: Shape, prefix = ''): readonly string[] {
  if (typeof shape === 'string') return [prefix];
  if (isList(shape)) return pathsIn(shape[0], shape.length === 2 ? prefix : `${prefix}[]`);
  return Object.entries(shape).flatMap(([name, field]) =>
    pathsIn(field, prefix === '' ? name : `${prefix}.${name}`),
  );
}

test('the manual page names every value of the report, every state of a slave and every metric', () => {
  const [, status = '', rest = ''] = MANUAL.split(/^\.SH (?:STATUS|METRICS)$/m);
  const words = new Set(status.match(/\b[A-Za-z0-9]+\b/g));
  for (const name of pathsIn(REPORT)) {
    for (const part of name.split(/[.[\]]+/).filter(Boolean)) assert.ok(words.has(part), name);
  }
  for (const state of SLAVE_STATES) assert.ok(status.replaceAll('\n', ' ').includes(state), state);
  for (const { name, help } of METRICS) {
    const [, text = ''] = new RegExp(`\\n\\.B ${name}(?: .*)?\\n(.*)\\n`).exec(rest) ?? [];
    assert.equal(text.replaceAll('\\-', '-').replaceAll('\\e', '\\'), help, name);
  }
});
