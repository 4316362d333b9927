import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatManifest, parseManifest } from '../../../src/sync/volumes/manifest.ts';

const path = fc.string({ unit: 'grapheme', minLength: 1 }).map(it => `/${it.replaceAll(/[\n\t]/g, ' ')}`);
const entry = (place: string) =>
  fc.record({
    place: fc.constant(place),
    paths: fc.array(path, { minLength: 1, maxLength: 2 }),
    allocated: fc.nat(),
    inodes: fc.nat(),
    copied: fc.constant('2026-11-22T10:00:00.000Z'),
  });

test('what is written is what is read', () => {
  fc.assert(
    fc.property(
      fc.tuple(entry('databases'), entry('databases-2'), entry('lib/mysql'), entry('lib/postgresql')),
      entries => {
        assert.deepEqual(parseManifest(formatManifest(entries)), structuredClone(entries));
      },
    ),
  );
});

test('a file that is none, or of a later version, says nothing', () => {
  assert.deepEqual(parseManifest(''), []);
  assert.deepEqual(parseManifest('tracks\t/x\t1\t1\tnow\ndatabases\trelative\n'), []);
});
