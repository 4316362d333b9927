import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { baseOf, outdated } from '../../../src/sync/snapshots/retention.ts';
import type { SnapshotSet } from '../../../src/sync/snapshots/snapshots.ts';

function set(
  name: string,
  madeAt: number,
  state: 'complete' | 'under way' | 'broken' = 'complete',
): SnapshotSet {
  return {
    run: name,
    ids: [`snap-${name}`],
    madeAt,
    isComplete: state === 'complete',
    isUnderWay: state !== 'broken',
    sizes: [7],
  };
}
const namesOf = (sets: readonly SnapshotSet[]) => sets.map(it => it.run);

describe('which sets go', () => {
  test('the oldest, when there are more than are kept', () => {
    const sets = [set('c', 3), set('a', 1), set('d', 4), set('b', 2)];
    assert.deepEqual(namesOf(outdated(sets, 3, new Set())), ['a']);
    assert.deepEqual(namesOf(outdated(sets, 1, new Set(['snap-b']))), ['c', 'a']);
  });

  test('never one that a configuration names, one that is not complete, or one of the newest', () => {
    const sets = fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1 }),
        madeAt: fc.nat(),
        state: fc.constantFrom('complete' as const, 'under way' as const, 'broken' as const),
        named: fc.boolean(),
      }),
      { selector: it => it.name },
    );
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 5 }), (made, keep) => {
        const all = made.map(it => set(it.name, it.madeAt, it.state));
        const named = new Set(made.filter(it => it.named).map(it => `snap-${it.name}`));
        const gone = outdated(all, keep, named);
        const left = all.filter(it => !gone.includes(it));
        assert.ok(gone.every(it => it.isComplete && !named.has(it.ids[0] ?? '')));
        assert.ok(
          left.filter(it => it.isComplete).length >= Math.min(keep, all.filter(it => it.isComplete).length),
        );
        for (const it of gone) {
          assert.ok(left.filter(other => other.isComplete && other.madeAt >= it.madeAt).length >= keep);
        }
      }),
    );
  });
});

describe('what the volume is made from', () => {
  const there = { ids: ['snap-b'], sizes: [9] };
  for (const [what, configured, sets, expected] of [
    ['nothing is there', { ids: [], sizes: [] }, [], { kind: 'new' }],
    [
      'the snapshots of the configuration',
      there,
      [set('a', 1), set('b', 2)],
      { kind: 'configured', ...there },
    ],
    ['snapshots that somebody else has made', there, [], { kind: 'configured', ...there }],
    [
      'a set that a killed sync has made and not written down',
      there,
      [set('c', 3, 'under way'), set('b', 2)],
      { kind: 'unwritten', set: set('c', 3, 'under way') },
    ],
    [
      'a newer set that is not whole',
      there,
      [set('c', 3, 'broken'), set('b', 2)],
      { kind: 'configured', ...there },
    ],
    ['snapshots that are gone', { ids: ['snap-x'], sizes: undefined }, [], { kind: 'new' }],
    [
      'snapshots that are gone, and an own set',
      { ids: ['snap-x'], sizes: undefined },
      [set('a', 1)],
      { kind: 'unwritten', set: set('a', 1) },
    ],
    // It may be of other data altogether.
    ['somebody else’s, though there is an own set', there, [set('c', 3)], { kind: 'configured', ...there }],
  ] as const) {
    test(what, () => assert.deepEqual(baseOf(configured, sets), expected));
  }
});
