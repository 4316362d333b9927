import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RefreshSituation, refreshInstances } from '../../src/policy/instance-refresh.ts';
import { type Candidate, type Standing, scale } from '../../src/policy/scale.ts';

/** `S` serving, `b` booting, `?` suspect, `l` leaving, `d` draining; in front of `|` the outdated ones. */
function farm(text: string): Candidate[] {
  const [old = '', current = ''] = text.split('|');
  const standings: Record<string, Standing> = {
    S: 'serving',
    b: 'booting',
    '?': 'suspect',
    l: 'leaving',
    d: 'draining',
  };
  return [...old, ...current].map((letter, index) => ({
    id: `i-${index}`,
    standing: standings[letter] ?? 'serving',
    launchedAt: index,
    outdated: index < old.length,
  }));
}

function situation(slaves: Candidate[], more: Partial<RefreshSituation> = {}): RefreshSituation {
  return {
    range: { min: 0, max: 8 },
    loadIsKnown: true,
    ceiling: 8,
    slaves,
    inFlight: 0,
    trusted: true,
    mayLaunch: true,
    ...more,
  };
}

describe('the renewal of a farm', () => {
  const cases: readonly (readonly [
    what: string,
    slaves: string,
    more: Partial<RefreshSituation>,
    launch: number,
    release: readonly string[],
  ])[] = [
    ['is nothing where nothing is outdated', '|SSS', {}, 0, []],
    ['begins with one new slave', 'SSSSSS|', {}, 1, []],
    ['waits for the first one', 'SSSSSS|b', { size: 6 }, 0, []],
    ['waits for one that is inFlight', 'SSSSSS|', { size: 6, inFlight: 1 }, 0, []],
    ['goes on by quarters when the first one serves', 'SSSSSS|S', { size: 6 }, 1, ['i-0']],
    ['releases the oldest', 'SSSSS|SS', { size: 5 }, 1, ['i-0', 'i-1']],
    ['releases what serves nobody first', 'SSb|S', { size: 3 }, 1, ['i-2']],
    ['gives no old slave up while new ones fail', 'SSS|S', { size: 3, trusted: false }, 1, []],
    [
      'makes room for the first new one at the largest max',
      'SSS|',
      { range: { min: 3, max: 3 }, ceiling: 3 },
      0,
      ['i-0'],
    ],
    ['makes no room twice', 'lSS|', { size: 3, range: { min: 3, max: 3 }, ceiling: 3 }, 0, []],
    ['makes no room for nothing', 'SSS|', { range: { min: 3, max: 3 }, ceiling: 3, mayLaunch: false }, 0, []],
    ['makes no room while the load is unknown', 'SSS|', { ceiling: 3, loadIsKnown: false }, 0, []],
    [
      'makes as much room as the load can spare',
      'SSSSSSS|S',
      { size: 8, range: { min: 7, max: 8 } },
      0,
      ['i-0'],
    ],
    ['makes more room where it can', 'SSSSSSS|S', { size: 8, range: { min: 2, max: 8 } }, 0, ['i-0', 'i-1']],
    ['goes back to as many as there were', '|SS', { size: 3 }, 1, []],
    ['is over when as many serve as there were', '|SSS', { size: 3 }, 0, []],
    ['needs no more than the load calls for', '|SS', { size: 3, range: { min: 1, max: 2 } }, 0, []],
  ];
  for (const [what, slaves, more, launch, release] of cases) {
    it(what, () => {
      const { launch: launched, release: released } = refreshInstances(situation(farm(slaves), more));
      assert.deepEqual({ launched, released }, { launched: launch, released: release });
    });
  }

  const anyFarm = fc
    .array(
      fc.record({
        standing: fc.constantFrom<Standing>('booting', 'suspect', 'serving', 'leaving', 'draining'),
        outdated: fc.boolean(),
      }),
      { maxLength: 30 },
    )
    .map(list => list.map((it, index) => ({ ...it, id: `i-${index}`, launchedAt: index })));
  const anySituation = fc
    .record({
      slaves: anyFarm,
      bounds: fc.tuple(fc.nat(20), fc.nat(20)),
      more: fc.nat(20),
      loadIsKnown: fc.boolean(),
      trusted: fc.boolean(),
      mayLaunch: fc.boolean(),
      inFlight: fc.nat(5),
      size: fc.option(fc.nat(20), { nil: undefined }),
    })
    .map(({ bounds, more, size, ...rest }) => {
      const range = { min: Math.min(...bounds), max: Math.max(...bounds) };
      return { ...rest, range, ceiling: range.max + more, ...(size !== undefined && { size }) };
    });

  it('never launches more than may exist, draining ones apart, nor twice as many with them', () => {
    fc.assert(
      fc.property(anySituation, it => {
        const { launch } = refreshInstances(it);
        const draining = it.slaves.filter(({ standing }) => standing === 'draining').length;
        if (launch === 0) return;
        assert.ok(it.slaves.length - draining + it.inFlight + launch <= it.ceiling);
        assert.ok(it.slaves.length + it.inFlight + launch <= 2 * it.ceiling);
      }),
    );
  });

  it('releases outdated slaves only, and leaves what the load needs, or all but one, in service', () => {
    fc.assert(
      fc.property(anySituation, it => {
        const { release } = refreshInstances(it);
        const gone = it.slaves.filter(({ id }) => release.includes(id));
        assert.ok(
          gone.every(
            ({ outdated, standing }) => outdated && standing !== 'leaving' && standing !== 'draining',
          ),
        );
        if (release.length === 0) return;
        assert.ok(it.trusted);
        const inService = it.slaves.filter(
          ({ outdated, standing }) =>
            standing === 'serving' || (outdated && (standing === 'booting' || standing === 'suspect')),
        ).length;
        assert.ok(inService - release.length >= it.range.min || release.length === 1);
      }),
    );
  });

  it('comes to an end with as many slaves as before, whatever the table allows', () => {
    const anyStart = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      below: fc.nat(40),
      above: fc.nat(5),
      higher: fc.nat(5),
    });
    fc.assert(
      fc.property(anyStart, ({ count, below, above, higher }) => {
        const range = { min: Math.max(0, count - below), max: count + above };
        const ceiling = range.max + higher;
        let slaves = farm('S'.repeat(count));
        let size: number | undefined;
        let number = count;
        let fewest = count;
        for (let step = 0; step < 20 * count + 20; step++) {
          const now = { range, ceiling, loadIsKnown: true, slaves, inFlight: 0 };
          const scaling = scale(now);
          assert.deepEqual(scaling.release, []);
          const renewal = refreshInstances({
            ...now,
            trusted: true,
            mayLaunch: true,
            ...(size !== undefined && { size }),
          });
          ({ size } = renewal);
          if (size === undefined && scaling.launch === 0) break;
          // In this world what is released is gone at the next step, and what is launched serves then.
          slaves = slaves
            .filter(({ id }) => !renewal.release.includes(id))
            .map(slave => ({ ...slave, standing: 'serving' as const }));
          fewest = Math.min(fewest, slaves.length);
          for (let left = Math.max(scaling.launch, renewal.launch); left > 0; left--) {
            number += 1;
            slaves.push({ id: `i-${number}`, standing: 'booting', launchedAt: number, outdated: false });
          }
        }
        assert.equal(size, undefined);
        assert.equal(slaves.length, count);
        assert.ok(slaves.every(({ outdated }) => !outdated));
        assert.ok(fewest >= Math.min(range.min, count - 1), `${fewest}`);
      }),
    );
  });
});
