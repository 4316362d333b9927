import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../src/config/nearest.ts';

const known = ['ports', 'poll_interval', 'spot_bid', 'subnet', 'name'];

describe('the nearest known name', () => {
  const words: [word: string, meant: string | undefined][] = [
    ['port', 'ports'],
    ['prots', 'ports'],
    ['Poll-Interval', 'poll_interval'],
    ['pollinterval', 'poll_interval'],
    ['spot_bidd', 'spot_bid'],
    ['sbunet', 'subnet'],
    ['game', 'name'],
    ['foo', undefined],
    ['', undefined],
    ['interval', 'poll_interval'],
    ['bid', undefined],
  ];
  for (const [word, meant] of words) {
    it(`of "${word}" is ${meant ?? 'none'}`, () => {
      assert.equal(nearest(word, known), meant);
    });
  }

  it('of a name with one letter added, left out or replaced is that name', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('poll_interval', 'spot_bid'),
        fc.nat(7),
        fc.nat(1),
        fc.constantFrom('', 'x'),
        (name, at, leftOut, added) => {
          assert.equal(nearest(name.slice(0, at) + added + name.slice(at + leftOut), known), name);
        },
      ),
    );
  });
});
