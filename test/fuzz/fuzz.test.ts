import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TARGETS } from './targets.ts';

describe('whatever is written in it, a clear verdict comes of', () => {
  for (const { name, property } of TARGETS) {
    it(name, () => fc.assert(property, { numRuns: 1500 }));
  }
});
