import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keptSlaves } from '../../src/balancer/wanted.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, type WorldSettings } from './world.ts';

const TABLE = [
  [0.5, 0, 4],
  [1, 1, 4],
  [5, 3, 4],
] as const;

/** Ten minutes of a load that needs three slaves, then one that needs one. */
function peak(releaseAfter: 'never' | 'auto' | number, more: WorldSettings = {}) {
  const load = [
    { from: 0, requestsPerSecond: 7 },
    { from: 10 * MINUTE, requestsPerSecond: 2 },
  ];
  return createWorld({ load, table: TABLE, master: { releaseAfter }, ...more });
}

describe('after a peak', () => {
  for (const [releaseAfter, from, until] of [
    // A boot takes about 45 s here, the drain 60 s.
    ['auto', 5 * MINUTE, 9 * MINUTE],
    [3 * MINUTE, 3 * MINUTE, 4 * MINUTE],
    [0, 0, 2 * MINUTE],
  ] as const) {
    it(`release_after = ${releaseAfter} keeps the slaves for a while, then as many as min asks for`, async () => {
      const world = peak(releaseAfter);
      world.start();
      await world.until(10 * MINUTE);
      assert.equal(world.farm.urls().length, 3);
      const gone = await world.when('one is left', () => world.farm.urls().length === 1);
      const after = gone - 10 * MINUTE;
      assert.ok(after >= from && after <= until, `${after / SECOND} s`);
      const launches = world.callsOf('CreateFleet').length;
      await world.run(HOURS);
      assert.equal(world.callsOf('CreateFleet').length, launches);
      assert.equal(world.live().length, 1);
    });
  }

  it('release_after = never keeps what max allows', async () => {
    const world = peak('never');
    world.start();
    await world.run(HOURS);
    assert.equal(world.farm.urls().length, 3);
  });

  it('says until when each slave beyond min is kept, in the log and for status', async () => {
    const world = peak('auto');
    world.start();
    await world.until(12 * MINUTE);
    const kept = keptSlaves(world.balancer.state);
    assert.equal(kept.size, 2);
    for (const until of kept.values()) assert.ok(until > world.now() && until < world.now() + 10 * MINUTE);
    assert.ok(world.log.has(/1 to 3 slaves wanted, 2 of them kept in case the load comes back/));
  });

  it('a restart begins the keep time again', async () => {
    const world = peak(10 * MINUTE);
    world.start();
    await world.until(18 * MINUTE);
    world.restart();
    await world.run(9 * MINUTE);
    assert.equal(world.farm.urls().length, 3);
    await world.run(5 * MINUTE);
    assert.equal(world.farm.urls().length, 1);
  });

  it('nothing is released while the load is unknown, though the keep time is over', async () => {
    const world = peak(3 * MINUTE);
    world.start();
    await world.until(11 * MINUTE);
    world.readings({ overloaded: 'x' }, { noPage: true });
    world.balancer.reconfigure(world.configOf({ master: { releaseAfter: 3 * MINUTE, overload: 'ignore' } }));
    await world.run(HOURS);
    assert.equal(world.farm.urls().length, 3);
  });
});

const HOURS = 3 * 60 * MINUTE;
