import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accountIn } from '../../src/balancer/spending.ts';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { createWorld, type World, type WorldSettings } from './world.ts';

const LATER = 20 * MINUTE;

/** A world without spot capacity. */
function dry(onDemand: number, settings: WorldSettings = {}): World {
  const world = createWorld({
    load: 3,
    table: [[1, 2, 4]],
    ...settings,
    slave: { onDemand, ...settings.slave },
  });
  world.cloud.market.set({ capacity: 0 });
  world.start();
  return world;
}

const bought = (world: World) => world.live().filter(it => it.spotRequestId === undefined);
const spot = (world: World) => world.live().filter(it => it.spotRequestId !== undefined);
const served = (world: World) => world.farm.urls().length;

describe('on_demand', () => {
  test('after five minutes without spot capacity the missing slaves are bought on demand', async () => {
    const world = dry(2);
    await world.run(4.5 * MINUTE);
    assert.equal(world.live().length, 0);
    await world.when('two serve', () => served(world) === 2, 3 * MINUTE);
    assert.equal(bought(world).length, 2);
    assert.match(
      world.log.text(),
      /warn spot has had no capacity within the bid for 5 min: buying 2 slaves on demand, at \$0.096 an hour each at the most/,
    );
    assert.match(world.log.text(), /launched i-\w+, i-\w+ on demand/);
  });

  test('a price above the bid counts as no capacity', async () => {
    const world = dry(1);
    world.cloud.market.set({ capacity: 9, price: 0.2 });
    await world.run(8 * MINUTE);
    assert.equal(bought(world).length, 1);
    assert.equal(spot(world).length, 0);
  });

  test('no more than configured; none by default', async () => {
    for (const onDemand of [0, 1]) {
      const world = dry(onDemand);
      await world.run(2 * HOUR);
      assert.equal(bought(world).length, onDemand);
      assert.equal(served(world), onDemand);
      // The whole template is the same, but for the tags of a spot request.
      assert.equal(world.cloud.account.launchTemplates().length, 1 + onDemand);
    }
  });

  test('spot capacity within the five minutes: nothing is bought', async () => {
    const world = dry(2);
    await world.run(4 * MINUTE);
    world.cloud.market.set({ capacity: 9 });
    await world.run(LATER);
    assert.equal(bought(world).length, 0);
    assert.equal(spot(world).length, 2);
  });

  test('when spot is back, spot slaves serve first, and then those on demand are drained', async () => {
    const world = dry(2);
    await world.when('two serve', () => served(world) === 2);
    world.cloud.market.set({ capacity: 9 });
    let fewest = 2;
    await world.when(
      'all on demand are gone',
      () => {
        fewest = Math.min(fewest, served(world));
        return bought(world).length === 0;
      },
      LATER,
    );
    assert.equal(fewest, 2);
    assert.equal(spot(world).length, 2);
    assert.match(world.log.text(), /there is spot capacity again: spot slaves replace those on demand/);
    assert.match(world.log.text(), /releasing slave i-\w+ .*: spot slaves serve in its place/);
    world.assertDrained();
    const launches = world.callsOf('CreateFleet').length;
    await world.run(HOUR);
    assert.equal(world.callsOf('CreateFleet').length, launches, 'it does not churn');
  });

  test('while spot fails, a reclaimed farm is carried by those on demand, and spot is asked every five minutes', async () => {
    const world = dry(1);
    await world.when('one serves', () => served(world) === 1);
    const before = world.callsOf('CreateFleet').length;
    await world.run(HOUR);
    const attempts = world.callsOf('CreateFleet').length - before;
    assert.ok(attempts >= 11 && attempts <= 13, `${attempts} attempts in an hour`);
    assert.equal(served(world), 1);
  });

  test('a balancer that starts anew knows which slaves run on demand, and waits five minutes before it buys more', async () => {
    const world = dry(2, { table: [[1, 1, 4]] });
    await world.when('one serves', () => served(world) === 1);
    world.restart({ table: [[1, 3, 4]] });
    await world.run(4.5 * MINUTE);
    assert.equal(bought(world).length, 1);
    await world.run(3 * MINUTE);
    assert.equal(bought(world).length, 2);
    world.cloud.market.set({ capacity: 9 });
    await world.run(LATER);
    assert.deepEqual([bought(world).length, spot(world).length], [0, 3]);
  });

  test('when the load falls, those on demand go first', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 30 * MINUTE, requestsPerSecond: 1.5 },
      ],
      table: [
        [1, 1, 2],
        [2, 3, 4],
      ],
      slave: { onDemand: 3 },
    });
    world.cloud.market.set({ capacity: 1 }, { instanceType: 'm5.large', zone: 'us-west-2a' });
    world.cloud.market.set({ capacity: 0 }, { zone: 'us-west-2b' });
    world.cloud.market.set({ capacity: 0 }, { zone: 'us-west-2c' });
    world.cloud.market.set({ capacity: 0 }, { instanceType: 'm6i.large' });
    world.start();
    await world.when('three serve', () => served(world) === 3);
    assert.deepEqual([bought(world).length, spot(world).length], [2, 1]);
    await world.until(40 * MINUTE);
    assert.deepEqual([bought(world).length, spot(world).length], [0, 1]);
  });

  test('where the largest max leaves no room, they stay, and the log says so', async () => {
    const world = dry(2, { table: [[1, 2, 2]] });
    await world.when('two serve', () => served(world) === 2);
    world.cloud.market.set({ capacity: 9 });
    await world.run(LATER);
    assert.equal(served(world), 2);
    assert.equal(world.log.count(/leaves no room for spot slaves beside them/), 1);
  });

  test('without capacity on demand either, the log says so once, and spot is used as soon as there is some', async () => {
    const world = dry(2);
    world.cloud.market.set({ onDemandCapacity: 0 });
    await world.run(HOUR);
    assert.equal(world.live().length, 0);
    assert.equal(world.log.count(/no slave could be launched on demand: InsufficientInstanceCapacity/), 1);
    world.cloud.market.set({ capacity: 9 });
    await world.run(8 * MINUTE);
    assert.equal(spot(world).length, 2);
  });

  test('a type whose price is not known is not bought', async () => {
    const world = dry(2, {
      slave: { onDemand: 2, instanceTypes: ['u7.large'] },
      ec2: { prices: { 'u7.large': 0.05 } },
    });
    await world.run(HOUR);
    assert.equal(world.live().length, 0);
    assert.match(world.log.text(), /the price of u7.large on demand is not known/);
  });

  test('the budget counts the price on demand, and holds', async () => {
    const world = dry(2, { slave: { onDemand: 2, spotBid: 0.05, budget: 0.5 } });
    await world.when('two serve', () => served(world) === 2);
    const from = accountIn(world.balancer.state)?.spent ?? 0;
    await world.run(HOUR);
    const spent = (accountIn(world.balancer.state)?.spent ?? 0) - from;
    assert.ok(Math.abs(spent - 2 * 0.096) < 0.005, `${spent}`);
    await world.run(3 * HOUR);
    assert.equal(world.live().length, 0);
    assert.ok((accountIn(world.balancer.state)?.spentAtMost ?? 0) < 0.51);
  });

  test('a stop ends those on demand, and removes both launch templates', async () => {
    const world = dry(2);
    await world.when('two serve', () => served(world) === 2);
    assert.equal(await world.stop(), 'clean');
    world.assertNothingLeft();
  });
});
