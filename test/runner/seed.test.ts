import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

const seed = process.env.TEST_SEED;

test('every property of a run draws from the seed of the run', {
  skip: seed === undefined && 'without TEST_SEED each property has a seed of its own',
}, () => {
  assert.equal(fc.readConfigureGlobal().seed, Number(seed));
});
