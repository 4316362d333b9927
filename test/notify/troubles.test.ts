import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { failure, type UserError } from '../../src/errors.ts';
import { type Book, decide, NOTHING_TOLD } from '../../src/notify/book.ts';
import { findingsIn } from '../../src/notify/troubles.ts';
import { createWorld, type World, type WorldSettings } from '../balancer/world.ts';

const TABLE = [[1, 2, 2]] as const;

/** A world, and what its balancer tells: `topic event: sentence`. */
function telling(settings: WorldSettings = {}) {
  const told: string[] = [];
  let book: Book = NOTHING_TOLD;
  const world: World = createWorld({
    table: TABLE,
    load: 5,
    ...settings,
    observe(state, now) {
      const decision = decide(book, findingsIn(state, now), { monotonic: now, wall: world.clock.wall() });
      book = decision.book;
      told.push(...decision.tell.map(({ topic, event, sentence }) => `${topic} ${event}: ${sentence}`));
    },
  });
  world.start();
  return { world, told };
}

/** EC2 takes every slave back at once. */
function takeAll(world: World): void {
  for (const { id } of world.live()) world.cloud.interrupt(id, 0);
}

const CASES: readonly (readonly [
  what: string,
  begins: (world: World) => unknown,
  lasts: number,
  ends: ((world: World) => unknown) | undefined,
  told: readonly RegExp[],
  settings?: WorldSettings,
])[] = [
  [
    'slaves that do not become ready',
    world => {
      world.answerProbes('refused');
      takeAll(world);
    },
    3 * HOUR,
    world => {
      world.answerProbes(undefined);
      world.balancer.reconfigure(world.configOf());
    },
    [
      /^slaves trouble: 0 slaves of at least 2 serve/,
      /^launches trouble: Slaves are launched only one at a time/,
    ],
  ],
  [
    'a permission that lacks for launches',
    world => {
      world.cloud.faults.add({ action: 'CreateFleet', code: 'UnauthorizedOperation' });
      takeAll(world);
    },
    HOUR + 10 * MINUTE,
    world => world.cloud.faults.clear(),
    [
      /^launches trouble: The last 3 attempts to launch slaves were refused: CreateFleet: Unauthorized/,
      /^slaves trouble/,
    ],
  ],
  [
    'EC2 that has no capacity',
    world => {
      world.cloud.market.set({ capacity: 0 });
      takeAll(world);
    },
    HOUR + 20 * MINUTE,
    world => world.cloud.market.set({ capacity: 99 }),
    [/^slaves trouble: 0 slaves of at least 2 serve: InsufficientInstanceCapacity/],
  ],
  [
    'a load that cannot be read',
    world => world.readings({}, { noPage: true }),
    HOUR + 15 * MINUTE,
    world => world.readings({}),
    [/^load trouble: The load cannot be read/],
  ],
  [
    'keys that EC2 refuses',
    world => world.cloud.faults.add({ action: 'DescribeInstances', code: 'AuthFailure' }),
    HOUR + 5 * MINUTE,
    world => world.cloud.faults.clear(),
    [/^keys trouble: EC2 has refused the keys \d+ times in a row \(DescribeInstances\)/],
  ],
  [
    'a snapshot that is gone',
    world => {
      world.cloud.faults.add({ action: 'CreateFleet', code: 'InvalidSnapshot.NotFound' });
      takeAll(world);
    },
    HOUR + 5 * MINUTE,
    world => world.cloud.faults.clear(),
    [/^image trouble: Slaves cannot be launched: CreateFleet: InvalidSnapshot\.NotFound/, /^slaves trouble/],
  ],
];

describe('somebody is told of', () => {
  for (const [what, begins, lasts, ends, expected, settings] of CASES) {
    it(`${what}, once, and of the end`, async () => {
      const { world, told } = telling(settings);
      await world.run(20 * MINUTE);
      assert.equal(told.length, 0, 'nothing is told while all is well');
      begins(world);
      await world.run(lasts);
      assert.equal(told.length, expected.length, told.join('\n'));
      for (const pattern of expected)
        assert.ok(
          told.some(it => pattern.test(it)),
          `${pattern}: ${told.join('\n')}`,
        );
      const topics = told.map(it => it.split(' ')[0]);
      ends?.(world);
      await world.run(75 * MINUTE);
      assert.deepEqual(
        told
          .slice(expected.length)
          .map(it => it.split(':')[0])
          .toSorted(),
        topics.map(topic => `${topic} over`).toSorted(),
      );
    });
  }

  it('an image that is gone, before anything is launched', async () => {
    const { world, told } = telling({ site: { image: 'ami-0123456789abcdef0' } });
    await world.run(10 * MINUTE);
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /^image trouble: .*there is no AMI ami-0123456789abcdef0/);
  });

  it('a budget, at 80 % and at 100 %, and not of the slaves that are missing for want of money', async () => {
    const { world, told } = telling({ slave: { spotBid: 0.1, budget: 0.2 } });
    await world.run(6 * HOUR);
    assert.deepEqual(
      told.map(it => it.split(':')[0]),
      ['budget-80 trouble', 'budget-100 trouble'],
    );
    world.balancer.reconfigure(world.configOf({ slave: { spotBid: 0.1, budget: 40 } }));
    await world.run(10 * MINUTE);
    assert.deepEqual(
      told.slice(2).map(it => it.split(':')[0]),
      ['budget-80 over', 'budget-100 over'],
    );
  });

  it("somebody else's change of the farm, and that an hour has passed without another", async () => {
    const { world, told } = telling();
    await world.run(10 * MINUTE);
    world.farm.edit([]);
    await world.run(30 * MINUTE);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^farm-file trouble: Somebody else has changed the farm: http/);
    await world.run(HOUR);
    assert.deepEqual(told.length, 2);
  });

  it("root's part that is gone, and of nothing else at the end", async () => {
    const gone = Promise.withResolvers<UserError>();
    const { world, told } = telling({ crippled: gone.promise });
    await world.run(10 * MINUTE);
    gone.resolve(failure('gone'));
    await world.run(10 * SECOND);
    assert.deepEqual(told, ['root trouble: The part of the balancer that writes the farm file is gone.']);
  });

  it('nothing when it is stopped, is paused, or has no load', async () => {
    for (const act of [
      (world: World) => void world.balancer.stop(),
      (world: World) => world.balancer.pause({ since: 0, release: true }),
      (world: World) => world.apache.restart(),
    ]) {
      const { world, told } = telling();
      await world.run(10 * MINUTE);
      act(world);
      await world.run(HOUR);
      assert.deepEqual(told, []);
    }
  });
});
