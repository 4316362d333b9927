import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DatabaseUse } from '../../../src/gbrowse/database-paths.ts';
import { MOST_TRIAL_DATA, trialSources } from '../../../src/image/plan/trial-source.ts';

const use = (source: string, what: { readonly path: string } | { readonly server: string }): DatabaseUse => ({
  source,
  file: 'x.conf',
  number: 1,
  ...what,
});
const SIZES = new Map([
  ['/db/small', 10],
  ['/db/small/index', 1],
  ['/db/large', 1000],
  ['/db/huge', MOST_TRIAL_DATA + 1],
]);

describe('an image is tried with', () => {
  const cases: readonly (readonly [string, readonly DatabaseUse[], readonly string[]])[] = [
    [
      'the data source that has the fewest data first',
      [use('large', { path: '/db/large' }), use('small', { path: '/db/small' })],
      ['small', 'large'],
    ],
    [
      'none that needs a server, data that are not there, or too many',
      [
        use('server', { path: '/db/small' }),
        use('server', { server: 'mysql' }),
        use('gone', { path: '/db/gone' }),
        use('huge', { path: '/db/huge' }),
      ],
      [],
    ],
  ];
  for (const [what, uses, expected] of cases) {
    test(what, () =>
      assert.deepEqual(
        trialSources(uses, SIZES).map(it => it.source),
        expected,
      ),
    );
  }

  test('a directory once, though something in it is named too', () => {
    const uses = [use('small', { path: '/db/small' }), use('small', { path: '/db/small/index' })];
    assert.deepEqual(trialSources(uses, SIZES)[0]?.paths, ['/db/small']);
  });
});
