import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import type { Ec2Action } from '../../src/ec2/api.ts';
import { FOREIGN_ANSWER, NO_ANSWER } from '../../src/ec2/errors.ts';
import type { Fault } from '../fake-aws/ec2/faults.ts';
import { createWorld, type World } from './world.ts';

describe('when EC2 refuses', () => {
  const pools = (world: World, refusal: string | undefined) => world.cloud.market.set({ refusal });
  const cases = [
    [
      'the price is above the bid',
      /waiting for the price to fall/,
      (w: World) => w.cloud.market.set({ price: 9 }),
      (w: World) => w.cloud.market.set({ price: 0.03 }),
    ],
    [
      'there is no capacity',
      /InsufficientInstanceCapacity/,
      (w: World) => w.cloud.market.set({ capacity: 0 }),
      (w: World) => w.cloud.market.set({ capacity: 99 }),
    ],
    [
      'the quota is used up',
      /MaxSpotInstanceCountExceeded/,
      (w: World) => pools(w, 'MaxSpotInstanceCountExceeded'),
      (w: World) => pools(w, undefined),
    ],
    [
      'calls are throttled',
      /RequestLimitExceeded/,
      (w: World) => w.cloud.faults.add({ action: 'CreateFleet', code: 'RequestLimitExceeded' }),
      (w: World) => w.cloud.faults.clear(),
    ],
    [
      'a permission lacks',
      /allow ec2:CreateFleet/,
      (w: World) => w.cloud.faults.add({ action: 'CreateFleet', code: 'UnauthorizedOperation' }),
      (w: World) => w.cloud.faults.clear(),
    ],
    [
      'the group cannot be made',
      /allow ec2:CreateSecurityGroup/,
      (w: World) => w.cloud.faults.add({ action: 'CreateSecurityGroup', code: 'UnauthorizedOperation' }),
      (w: World) => w.cloud.faults.clear(),
    ],
  ] as const;
  for (const [what, message, breakIt, mendIt] of cases) {
    it(`because ${what}, it says so, tries less and less often, and recovers`, async () => {
      const world = createWorld({ load: 3 });
      breakIt(world);
      world.start();
      await world.until(3 * HOUR);
      const calls = world.callsOf('CreateFleet', 'CreateSecurityGroup').length;
      assert.ok(calls >= 4 && calls <= 120, `${calls} attempts in three hours`);
      assert.ok(world.log.has(message), world.log.text());
      assert.equal(world.log.entries.filter(it => it.level === 'warn').length, 1);
      mendIt(world);
      await world.when('a slave', () => world.farm.urls().length === 1, HOUR);
      await world.run(10 * MINUTE);
      assert.equal(world.live().length, 1);
    });
  }

  it('to show the image again, slaves are still replaced from the template that is there', async () => {
    const world = createWorld({ load: 3 });
    world.start();
    await world.until(50 * MINUTE);
    world.cloud.faults.add({ action: 'DescribeImages', code: 'UnauthorizedOperation' });
    await world.until(80 * MINUTE);
    for (const it of world.live()) world.cloud.terminate(it.id);
    await world.run(40 * SECOND);
    await world.when('a replacement', () => world.farm.urls().length === 1, 3 * MINUTE);
    assert.equal(world.log.count(/cannot be checked: .*ec2:DescribeImages/), 1);
  });

  it('one pool for ever, the others are still asked as often as their own trouble says', async () => {
    const world = createWorld({ load: 3, slave: { instanceTypes: ['m7i.xlarge'] } });
    world.cloud.market.set({ capacity: 0 });
    world.start();
    await world.until(30 * MINUTE);
    world.cloud.market.set({ capacity: 9 });
    await world.when('a launch', () => world.live().length === 1, 11 * MINUTE);
  });
});

describe('a launch whose answer is lost', () => {
  const faults = [
    ['EC2 fails after the effect', { code: 'InternalError', httpStatus: 500, when: 'after' }],
    ['the answer hangs', { hang: true, when: 'after' }],
    ['the connection breaks', { code: NO_ANSWER, when: 'after' }],
    ['the connection breaks before the effect', { code: NO_ANSWER }],
  ] as const;
  for (const [what, fault] of faults) {
    for (const [count, lag] of [
      [1, [0, 2000]],
      [5, 1 * SECOND],
      [4, [0, 30 * SECOND]],
    ] as const) {
      it(`because ${what} is not made twice (${count} slaves)`, async () => {
        for (const times of [1, 3]) {
          const world = createWorld({ load: 3, table: [[1, count, count]], ec2: { lag } });
          world.cloud.faults.add({ action: 'CreateFleet', count: times, ...fault });
          world.start();
          let most = 0;
          await world.when('all in the farm', () => {
            most = Math.max(most, world.live().length);
            return world.farm.urls().length === count;
          });
          await world.run(10 * MINUTE);
          assert.equal(most, count);
          assert.equal(world.live().length, count);
          assert.equal(world.cloud.account.fleets().length, 1);
        }
      });
    }
  }

  it('is not made twice where its repetition is refused and EC2 shows nothing for long', async () => {
    const world = createWorld({ load: 3, table: [[1, 2, 2]], ec2: { lag: 25 * SECOND } });
    world.cloud.faults.add({ action: 'CreateFleet', code: NO_ANSWER, when: 'after', count: 1 });
    world.cloud.faults.add({ action: 'CreateFleet', code: 'RequestLimitExceeded', count: 1 });
    world.start();
    await world.run(10 * MINUTE);
    assert.equal(world.cloud.account.fleets().length, 1);
    assert.equal(world.farm.urls().length, 2);
  });

  it('is not asked for again once the load has fallen', async () => {
    const world = createWorld({
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 30 * SECOND, requestsPerSecond: 0 },
      ],
    });
    world.cloud.faults.add({ action: 'CreateFleet', code: NO_ANSWER });
    world.start();
    await world.until(2 * MINUTE);
    world.cloud.faults.clear();
    await world.until(HOUR);
    assert.equal(world.cloud.account.fleets().length, 0);
    assert.equal(world.balancer.state.launchInFlight, undefined);
  });
});

describe('a few failures of every action', () => {
  /** What it takes to have a slave in the farm, in the order of the calls. */
  const ACTIONS: readonly Ec2Action[] = [
    'DescribeInstances',
    'DescribeImages',
    'DescribeSubnets',
    'DescribeSecurityGroups',
    'CreateSecurityGroup',
    'AuthorizeSecurityGroupIngress',
    'DescribeLaunchTemplates',
    'CreateLaunchTemplate',
    'CreateFleet',
    'DescribeSpotInstanceRequests',
  ];
  const WAYS: readonly Fault[] = [
    { code: 'RequestLimitExceeded', httpStatus: 503 },
    { code: 'InternalError', httpStatus: 500 },
    { code: NO_ANSWER },
    { code: NO_ANSWER, when: 'after' },
    { code: FOREIGN_ANSWER, when: 'after' },
  ];
  for (const [count, limit] of [
    [1, 25 * SECOND],
    [2, 45 * SECOND],
  ] as const) {
    for (const way of WAYS) {
      it(`(${count} of each: ${JSON.stringify(way)}) delay the first slave to ${limit / SECOND} s at the most`, async () => {
        const world = createWorld({
          load: 3,
          master: { pollInterval: 1.2 * SECOND },
          ec2: { pendingTime: SECOND },
          slaves: { bootTime: SECOND },
        });
        for (const action of ACTIONS) world.cloud.faults.add({ ...way, action, count });
        world.start();
        await world.when('a slave in the farm', () => world.farm.urls().length === 1, limit);
      });
    }
  }
});
