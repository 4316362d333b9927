import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Candidate, type Situation, type Standing, scale } from '../../src/policy/scale.ts';

function slaves(...standings: Standing[]): Candidate[] {
  return standings.map((standing, index) => ({ id: `i-${index}`, standing, launchedAt: index }));
}

function situation(overrides: Partial<Situation>): Situation {
  return { range: { min: 0, max: 0 }, loadIsKnown: true, ceiling: 8, slaves: [], inFlight: 0, ...overrides };
}

describe('the scaling policy', () => {
  it('launches what is missing to the minimum', () => {
    assert.deepEqual(scale(situation({ range: { min: 3, max: 5 }, slaves: slaves('serving') })), {
      launch: 2,
      release: [],
    });
  });

  it('leaves the farm alone between the minimum and the maximum', () => {
    const two = slaves('serving', 'serving');
    assert.deepEqual(scale(situation({ range: { min: 1, max: 3 }, slaves: two })), {
      launch: 0,
      release: [],
    });
  });

  it('launches another one while one is silent, where the ceiling allows, and releases none for it', () => {
    const range = { min: 2, max: 2 };
    const two = slaves('silent', 'serving');
    assert.equal(scale(situation({ range, slaves: two })).launch, 1);
    assert.equal(scale(situation({ range, slaves: two, ceiling: 2 })).launch, 0);
    const three = slaves('silent', 'serving', 'serving');
    assert.deepEqual(scale(situation({ range, slaves: three })), { launch: 0, release: [] });
  });

  it('does not launch again what is already in flight', () => {
    assert.equal(scale(situation({ range: { min: 3, max: 3 }, inFlight: 2 })).launch, 1);
  });

  it('does not count a slave that is leaving as capacity', () => {
    assert.equal(scale(situation({ range: { min: 1, max: 1 }, slaves: slaves('leaving') })).launch, 1);
  });

  it('releases first who serves nobody, then who may be failing, then the newest', () => {
    const farm = slaves('serving', 'suspect', 'serving', 'booting', 'serving', 'booting');
    const order = [5, 3, 1, 4, 2, 0].map(index => `i-${index}`);
    for (let max = 0; max <= 6; max++) {
      assert.deepEqual(
        scale(situation({ range: { min: 0, max }, slaves: farm })).release,
        order.slice(0, 6 - max),
        `down to ${max}`,
      );
    }
  });

  it('releases nothing while the load is not known', () => {
    const farm = slaves('serving', 'serving', 'serving');
    assert.deepEqual(scale(situation({ loadIsKnown: false, slaves: farm })), { launch: 0, release: [] });
  });

  const standing = fc.constantFrom<Standing>('booting', 'suspect', 'serving', 'leaving');
  const anySituation = fc
    .record({
      bounds: fc.tuple(fc.nat(20), fc.nat(20)),
      ceiling: fc.nat(20),
      loadIsKnown: fc.boolean(),
      standings: fc.array(standing, { maxLength: 60 }),
      inFlight: fc.nat(5),
    })
    .map(({ bounds, ceiling, standings, ...rest }) =>
      situation({
        ...rest,
        range: { min: Math.min(...bounds), max: Math.max(...bounds) },
        ceiling: Math.max(ceiling, ...bounds),
        slaves: slaves(...standings),
      }),
    );
  const staying = (it: Situation) => it.slaves.filter(slave => slave.standing !== 'leaving').length;

  it('never goes above the ceiling, nor above twice the ceiling with those that are leaving', () => {
    fc.assert(
      fc.property(anySituation, it => {
        const { launch } = scale(it);
        if (launch === 0) return;
        assert.ok(staying(it) + it.inFlight + launch <= it.ceiling);
        assert.ok(it.slaves.length + it.inFlight + launch <= 2 * it.ceiling);
      }),
    );
  });

  it('never releases below the minimum, nor both launches and releases, nor names one twice', () => {
    fc.assert(
      fc.property(anySituation, it => {
        const { launch, release } = scale(it);
        assert.ok(release.length === 0 || staying(it) - release.length >= it.range.min);
        assert.ok(launch === 0 || release.length === 0);
        assert.equal(new Set(release).size, release.length);
      }),
    );
  });

  it('comes to rest: after its launches and releases it wants nothing more', () => {
    fc.assert(
      fc.property(anySituation, it => {
        const { launch, release } = scale(it);
        const after = it.slaves.map(slave =>
          release.includes(slave.id) ? { ...slave, standing: 'leaving' as const } : slave,
        );
        if (it.slaves.length + it.inFlight + it.range.min > 2 * it.ceiling) return;
        const next = scale({ ...it, slaves: after, inFlight: it.inFlight + launch });
        assert.deepEqual(next, { launch: 0, release: [] });
      }),
    );
  });
});
