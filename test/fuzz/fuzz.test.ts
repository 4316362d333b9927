import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TARGETS } from './targets.ts';

describe('whatever is written in it, a clear verdict comes of', () => {
  for (const { name, property } of TARGETS) {
    it(name, () => fc.assert(property, { numRuns: 1500 }));
  }
});

describe('runs of 400 kB are read in linear time', () => {
  const runs = [' ', '\t', '\n', '[', '=', '"', '#', 'x', '1', ':', ' x', '<', '='].map(unit =>
    unit.repeat(400_000),
  );
  const texts = runs.flatMap(run => [`x${run}x`, `[MASTER]\nname =${run}x`]);
  for (const { name, property, having } of TARGETS) {
    // A reader that takes the square of their length does not come to an end here.
    it(name, { timeout: 300_000 }, () => {
      const examples = texts.map(text => having(text));
      fc.assert(property, { examples, numRuns: examples.length, endOnFailure: true });
    });
  }
});
