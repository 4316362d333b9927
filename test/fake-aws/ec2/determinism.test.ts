import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND } from '../../../src/clock.ts';
import { createWorld } from './world.ts';

/** A little history with every kind of chance in it; gives all that can be seen of it. */
async function history(seed: string): Promise<string> {
  const world = createWorld(
    { latency: [10, 300], lag: [0, 4000], pendingTime: [1000, 9000], shutdownTime: [1000, 9000] },
    seed,
  );
  const { clock, ec2, faults, market } = world;
  faults.add({ code: 'InternalError', probability: 0.3 });
  const template = await clock.run(
    world
      .makeTemplate()
      .catch(() => world.makeTemplate())
      .catch(() => 'lt-0'),
  );
  const seen: unknown[] = [];
  for (let round = 0; round < 20; round++) {
    const calls = [
      ec2('CreateFleet', world.fleetOf(template, 2, { ClientToken: `token ${round}` })),
      ec2('DescribeInstances', {}),
      ec2('DescribeSpotInstanceRequests', {}),
    ];
    seen.push(await clock.run(Promise.allSettled(calls)));
    market.set({ capacity: round % 7 });
    await clock.runFor(20 * SECOND);
  }
  return JSON.stringify([seen, world.calls(), world.account.instances(), world.account.volumes()]);
}

test('the same seed and the same calls give the same account, record and answers', async () => {
  assert.equal(await history('one'), await history('one'));
});

test('another seed gives another history', async () => {
  assert.notEqual(await history('one'), await history('two'));
});

test('the record says of every call when it was made and how it ended', async () => {
  const { ec2, calls, faults, clock } = createWorld({ latency: 100 });
  faults.add({ action: 'DescribeImages', code: 'Unavailable' });
  await clock.run(ec2('DescribeSubnets', { SubnetIds: [] }));
  await clock.run(ec2('DescribeImages', {}).catch(() => {}));
  await clock.run(ec2('DescribeInstances', { Filters: [{ Name: 'x', Values: ['y'] }] }).catch(() => {}));
  void ec2('DescribeInstances', {});
  const start = clock.wall() - clock.monotonic();
  assert.deepEqual(
    calls().map(({ at, action, outcome }) => [at - start, action, outcome]),
    [
      [0, 'DescribeSubnets', 'ok'],
      [100, 'DescribeImages', 'Unavailable'],
      [150, 'DescribeInstances', 'bug'],
      [200, 'DescribeInstances', undefined],
    ],
  );
});

test('the record keeps the latest calls only', async () => {
  const { ec2, calls } = createWorld({ callsKept: 3 });
  for (let call = 0; call < 10; call++)
    await ec2('DescribeSubnets', { SubnetIds: Array(call).fill('') }).catch(() => {});
  assert.deepEqual(
    calls().map(({ request }) => 'SubnetIds' in request && request.SubnetIds?.length),
    [7, 8, 9],
  );
});
