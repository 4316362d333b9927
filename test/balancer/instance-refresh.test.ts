import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { DATA_TAG } from '../../src/spot/tags.ts';
import { DEFAULT_EC2_SETTINGS } from '../fake-aws/ec2/settings.ts';
import { createWorld, type World, type WorldSettings } from './world.ts';

const OLD = 'snap-0123456789abcdef0';
const NEW = 'snap-0fedcba9876543210';
const OTHER_IMAGE = {
  id: 'ami-0a254c1f7e93b8d61',
  name: 'GBrowse-2.55',
  owner: '111122223333',
  createdAt: '2026-01-01T10:00:00.000Z',
  rootSnapshot: 'snap-0f00d1e5a7b3c9000',
};

type Row = readonly [requestsPerSecond: number, min: number, max: number];

/** A farm of slaves with old data, all in service. */
async function farmOf(count: number, table: readonly Row[], more: WorldSettings = {}): Promise<World> {
  const world = createWorld({ load: 3, table, slave: { dataSnapshots: [OLD] }, ...more });
  world.start();
  await world.when(`${count} in the farm`, () => world.farm.urls().length === count);
  await world.run(11 * MINUTE);
  return world;
}

const dataOf = (world: World) => world.live().map(it => it.tags[DATA_TAG]);
const listedWith = (world: World, data: string) =>
  world.listed().filter(id => world.cloud.account.instance(id)?.tags[DATA_TAG] === data).length;

/** The administrator writes new snapshots, and the farm is watched until all slaves have them. */
async function renewed(world: World, settings: WorldSettings, limit = HOUR) {
  const from = world.now();
  const seen = { fewestListed: Number.POSITIVE_INFINITY, mostWorking: 0, longestMix: 0 };
  world.balancer.reconfigure(world.configOf(settings));
  await world.when(
    'a renewed farm',
    () => {
      seen.fewestListed = Math.min(seen.fewestListed, world.farm.urls().length);
      seen.mostWorking = Math.max(seen.mostWorking, world.working().length);
      if (listedWith(world, OLD) > 0 && listedWith(world, NEW) > 0) seen.longestMix += 100;
      return dataOf(world).every(data => data === NEW) && world.balancer.state.instanceRefresh === undefined;
    },
    limit,
  );
  return { ...seen, took: world.now() - from };
}

const NEW_DATA: WorldSettings = { slave: { dataSnapshots: [NEW] } };

describe('slaves with old data', () => {
  for (const [count, table] of [
    [1, [[1, 1, 2]]],
    [2, [[1, 2, 3]]],
    [
      3,
      [
        [1, 3, 3],
        [9, 3, 6],
      ],
    ],
    [
      5,
      [
        [1, 5, 5],
        [9, 6, 8],
      ],
    ],
  ] as const) {
    it(`are replaced, ${count} of them, and the farm never has fewer than before`, async () => {
      const world = await farmOf(count, table);
      const { fewestListed, mostWorking } = await renewed(world, { table, ...NEW_DATA });
      assert.equal(fewestListed, count);
      assert.ok(mostWorking <= Math.max(...table.map(([, , max]) => max)), `${mostWorking}`);
      await world.run(HOUR);
      assert.equal(world.farm.urls().length, count);
      assert.equal(world.live().length, count);
      world.assertDrained();
      assert.ok(world.log.has(/^replacing .* not have snap-0fedcba9876543210/));
      assert.ok(world.log.has(/^releasing slave .*: its data are out of date/));
      assert.ok(world.log.has(/^all slaves are replaced/));
    });
  }

  for (const [count, table] of [
    [1, [[1, 1, 1]]],
    [3, [[1, 3, 3]]],
  ] as const) {
    it(`make room one at a time where the load needs all of the ${count} that may exist`, async () => {
      const world = await farmOf(count, table);
      const { fewestListed, mostWorking } = await renewed(world, { table, ...NEW_DATA });
      assert.equal(fewestListed, count - 1);
      assert.equal(mostWorking, count);
      assert.equal(world.farm.urls().length, count);
    });
  }

  it('make room together where the load does not need them, and there are as many afterwards', async () => {
    const table = [[1, 3, 4]] as const;
    const world = await farmOf(4, [[1, 4, 4]]);
    const { fewestListed } = await renewed(world, { table, ...NEW_DATA });
    assert.equal(fewestListed, 3);
    assert.equal(world.farm.urls().length, 4);
  });

  for (const count of [20, 60]) {
    it(`of a farm of ${count} are replaced in five waves, so that it is not mixed for long`, async () => {
      const table: readonly Row[] = [
        [1, count, count],
        [9, count, 2 * count],
      ];
      const world = await farmOf(count, table, { ec2: { spotQuota: 200 } });
      const { fewestListed, longestMix } = await renewed(world, { table, ...NEW_DATA });
      assert.equal(fewestListed, count);
      assert.ok(longestMix <= 5 * MINUTE, `mixed for ${longestMix / SECOND} s`);
    });
  }

  it('are replaced by a process that was killed in the midst of it', async () => {
    const table = [
      [1, 3, 3],
      [9, 3, 6],
    ] as const;
    const world = await farmOf(3, table);
    world.balancer.reconfigure(world.configOf({ table, ...NEW_DATA }));
    for (let kill = 0; kill < 12; kill++) {
      await world.run(((kill * 7) % 40) * SECOND + 300);
      world.restart({ table, ...NEW_DATA });
      assert.ok(world.working().length <= 6);
    }
    await world.when('a renewed farm', () => dataOf(world).every(data => data === NEW), HOUR);
    assert.equal(world.farm.urls().length, 3);
    world.assertDrained();
  });

  it('are the first to go when the load falls meanwhile', async () => {
    const table = [
      [0.5, 1, 1],
      [1, 3, 3],
      [9, 3, 6],
    ] as const;
    const world = await farmOf(3, table, {
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 20 * MINUTE, requestsPerSecond: 0.7 },
      ],
    });
    await world.until(20 * MINUTE + 5 * SECOND);
    world.balancer.reconfigure(world.configOf({ table, ...NEW_DATA }));
    await world.run(15 * MINUTE);
    assert.deepEqual(dataOf(world), [NEW]);
    assert.equal(world.cloud.account.fleets().length, 2);
  });

  it('are replaced though the load cannot be read, where there is room for a new one first', async () => {
    const world = await farmOf(2, [[1, 2, 3]]);
    world.apache.fail('connection refused');
    await world.run(5 * MINUTE);
    const { fewestListed } = await renewed(world, { table: [[1, 2, 3]], ...NEW_DATA });
    assert.equal(fewestListed, 2);
  });

  it('all stay at the largest max as long as the load cannot be read', async () => {
    const world = await farmOf(2, [[1, 2, 2]]);
    world.apache.fail('connection refused');
    await world.run(5 * MINUTE);
    world.balancer.reconfigure(world.configOf({ table: [[1, 2, 2]], ...NEW_DATA }));
    await world.run(HOUR);
    assert.deepEqual(dataOf(world), [OLD, OLD]);
    world.apache.fail(undefined);
    await world.when('a renewed farm', () => dataOf(world).every(data => data === NEW), HOUR);
  });
});

describe('new data that do not boot', () => {
  for (const [room, table] of [
    [
      'with room for a new slave first',
      [
        [1, 3, 3],
        [9, 3, 6],
      ],
    ],
    ['at the largest max', [[1, 3, 3]]],
  ] as const) {
    it(`cost the farm nothing but, without room, the first slave: ${room}`, async () => {
      const kept = room === 'at the largest max' ? 2 : 3;
      const world = await farmOf(3, table);
      world.balancer.reconfigure(
        world.configOf({ table, slave: { dataSnapshots: [NEW], bootTimeout: 5 * MINUTE } }),
      );
      for (let time = 0; time < 12 * 60 * 6; time++) {
        for (const it of world.live()) if (it.tags[DATA_TAG] === NEW) world.slaves.set(it.id, 'refuses');
        await world.run(10 * SECOND);
        assert.ok(listedWith(world, OLD) >= kept, world.log.text());
      }
      assert.ok(world.log.has(new RegExp(`the other ${kept} stay in service`)));
      const launches = world.callsOf('CreateFleet').length;
      assert.ok(launches >= 6 && launches < 20, `${launches} launches`);

      const { fewestListed } = await renewed(world, { table, slave: { dataSnapshots: [NEW] } });
      assert.ok(fewestListed >= 2);
      assert.equal(world.farm.urls().length, 3);
    });
  }

  it('but die a minute later cost one slave, not one after another', async () => {
    const table = [
      [1, 4, 4],
      [9, 4, 8],
    ] as const;
    const world = await farmOf(4, table);
    world.balancer.reconfigure(world.configOf({ table, ...NEW_DATA }));
    for (let round = 0; round < 3 * 60; round++) {
      await world.run(MINUTE);
      for (const it of world.live()) if (it.tags[DATA_TAG] === NEW) world.slaves.set(it.id, 'refuses');
    }
    assert.ok(listedWith(world, OLD) >= 3, world.log.text());
  });

  for (const [max, kept] of [
    [3, 2],
    [2, 1],
  ] as const) {
    it(`because there is no such snapshot leave ${kept} of 2 in service where ${max} may exist`, async () => {
      const table = [[1, 2, max]] as const;
      const world = await farmOf(2, table);
      world.balancer.reconfigure(
        world.configOf({ table, slave: { dataSnapshots: ['snap-00000000000000000'] } }),
      );
      await world.run(3 * HOUR);
      assert.deepEqual(dataOf(world), Array(kept).fill(OLD));
      assert.equal(world.farm.urls().length, kept);
      assert.ok(world.log.has(/no slave could be launched: .*snap-00000000000000000/));
    });
  }

  it('make no room while a launch cannot be prepared, and some once it can', async () => {
    const table = [[1, 2, 2]] as const;
    const world = await farmOf(2, table);
    const removeFault = world.cloud.faults.add({ action: 'DescribeSubnets', code: 'InternalError' });
    world.balancer.reconfigure(world.configOf({ table, ...NEW_DATA }));
    await world.run(HOUR);
    assert.deepEqual(dataOf(world), [OLD, OLD]);
    removeFault();
    await world.when('a renewed farm', () => dataOf(world).every(data => data === NEW), HOUR);
  });

  it('can be taken back: nothing is replaced then', async () => {
    const table = [[1, 2, 4]] as const;
    const world = await farmOf(2, table);
    const before = world.live().map(it => it.id);
    world.balancer.reconfigure(world.configOf({ table, ...NEW_DATA }));
    await world.when('a launch', () => world.live().length === 3);
    world.balancer.reconfigure(world.configOf({ table, slave: { dataSnapshots: [OLD] } }));
    await world.run(HOUR);
    for (const id of before) assert.ok(world.listed().includes(id));
    assert.deepEqual(new Set(dataOf(world)), new Set([OLD]));
  });
});

describe('another image', () => {
  it('of the name that the file has replaces the slaves of the one before, within the hour', async () => {
    const images = [...DEFAULT_EC2_SETTINGS.images];
    const world = await farmOf(2, [[1, 2, 3]], { site: { image: 'GBrowse' }, ec2: { images } });
    images.push(OTHER_IMAGE);
    await world.when(
      'a renewed farm',
      () => world.live().every(it => it.imageId === OTHER_IMAGE.id),
      90 * MINUTE,
    );
    assert.ok(world.log.has(/^releasing slave .*: its image is out of date/));
    await world.run(HOUR);
    assert.equal(world.farm.urls().length, 2);
  });

  it('in the file replaces the slaves of the one before', async () => {
    const images = [...DEFAULT_EC2_SETTINGS.images, OTHER_IMAGE];
    const world = await farmOf(2, [[1, 2, 3]], { ec2: { images } });
    world.restart({ site: { image: OTHER_IMAGE.id }, slave: { dataSnapshots: [OLD] } });
    await world.when('a renewed farm', () => world.live().every(it => it.imageId === OTHER_IMAGE.id), HOUR);
    world.assertDrained();
  });
});

describe('other settings of slaves', () => {
  it('hold for those that are launched from now on: nothing is replaced', async () => {
    const world = await farmOf(2, [[1, 2, 3]]);
    const before = world.live().map(it => it.id);
    world.balancer.reconfigure(
      world.configOf({
        table: [[1, 2, 3]],
        slave: {
          dataSnapshots: [OLD],
          instanceTypes: ['c5.large'],
          ports: [8102],
          spotBid: 0.2,
          orphanTimeout: HOUR,
        },
      }),
    );
    await world.run(2 * HOUR);
    assert.deepEqual(
      world.live().map(it => it.id),
      before,
    );
  });
});
