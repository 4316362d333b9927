import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE, SECOND } from '../../../src/clock.ts';
import { createWorld, refuses } from './world.ts';

/** State and status of the only request, beside the state of its instance. */
async function look({ ec2, account }: ReturnType<typeof createWorld>): Promise<string> {
  const { SpotInstanceRequests } = await ec2('DescribeSpotInstanceRequests', {});
  const [request] = SpotInstanceRequests ?? [];
  return `${request?.State} ${request?.Status?.Code} ${account.instances()[0]?.state}`;
}

test('a reclaimed instance is marked about two minutes before its end', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  await world.clock.runFor(MINUTE);
  assert.equal(await look(world), 'active fulfilled running');
  world.interrupt(id);
  assert.equal(await look(world), 'active marked-for-termination running');
  await world.clock.runFor(2 * MINUTE - 1);
  assert.equal(await look(world), 'active marked-for-termination running');
  await world.clock.runFor(1);
  assert.equal(await look(world), 'closed instance-terminated-no-capacity shutting-down');
  assert.equal((await world.shown())[0]?.StateReason?.Code, 'Server.SpotInstanceTermination');
});

test('the status of the end can show while the instance still has its notice', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  await world.clock.runFor(MINUTE);
  world.interrupt(id, 30 * SECOND, { reason: 'by-service', finalAtOnce: true });
  assert.equal(await look(world), 'closed instance-terminated-by-service running');
});

test('a notice of 0 takes the instance at once', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  world.interrupt(id, 0);
  assert.equal(await look(world), 'closed instance-terminated-no-capacity shutting-down');
});

test('who terminates a marked instance ends it by user', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  world.interrupt(id);
  await world.ec2('TerminateInstances', { InstanceIds: [id] });
  await world.clock.runFor(5 * MINUTE);
  assert.equal(await look(world), 'closed instance-terminated-by-user terminated');
});

test('a cancelled request leaves its instance running', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  await world.clock.runFor(MINUTE);
  const ids = world.account.spotRequests().map(it => it.id);
  const { CancelledSpotInstanceRequests } = await world.ec2('CancelSpotInstanceRequests', {
    SpotInstanceRequestIds: ids,
  });
  assert.deepEqual(CancelledSpotInstanceRequests, [{ SpotInstanceRequestId: ids[0], State: 'cancelled' }]);
  assert.equal(await look(world), 'cancelled request-canceled-and-instance-running running');
  await world.clock.runFor(MINUTE);
  world.terminate(id);
  assert.equal(await look(world), 'cancelled instance-terminated-by-user shutting-down');
});

test('a price above what an instance pays at most reclaims it, others stay', async () => {
  const world = createWorld();
  const pool = { InstanceType: 'c5.large' as const, AvailabilityZone: 'us-west-2a' };
  const [low = ''] = await world.launch(1, {}, [{ ...pool, MaxPrice: '0.05' }]);
  const [high = ''] = await world.launch(1, {}, [{ ...pool, MaxPrice: '0.50' }]);
  world.market.set({ price: 0.1 }, { instanceType: 'c5.large' });
  await world.clock.runFor(2 * MINUTE);
  const codes = world.account.spotRequests().map(it => [it.instanceId, it.statusCode]);
  assert.deepEqual(codes, [
    [low, 'instance-terminated-by-price'],
    [high, 'fulfilled'],
  ]);
});

test('a pool that shrinks reclaims as many as it cannot hold, once', async () => {
  const world = createWorld();
  await world.launch(5);
  world.market.set({ capacity: 2 });
  world.market.set({ capacity: 2 });
  const marked = world.account.spotRequests().filter(it => it.statusCode === 'marked-for-termination');
  assert.equal(marked.length, 3);
});

test('requests are found by tag, state, status, instance and id', async () => {
  const { ec2, launch, interrupt, account } = createWorld();
  const [one = '', two = ''] = await launch(2, {
    TagSpecifications: [{ ResourceType: 'spot-instances-request', Tags: [{ Key: 'master', Value: 'me' }] }],
  });
  interrupt(two);
  const table: [string, string, string[]][] = [
    ['tag:master', 'me', [one, two]],
    ['state', 'active', [one, two]],
    ['status-code', 'fulfilled', [one]],
    ['status-code', 'marked-*', [two]],
    ['instance-id', two, [two]],
  ];
  for (const [Name, value, expected] of table) {
    const answer = await ec2('DescribeSpotInstanceRequests', { Filters: [{ Name, Values: [value] }] });
    assert.deepEqual(
      answer.SpotInstanceRequests?.map(it => it.InstanceId),
      expected,
      `${Name}=${value}`,
    );
  }
  const id = account.instance(one)?.spotRequestId ?? '';
  const byId = await ec2('DescribeSpotInstanceRequests', { SpotInstanceRequestIds: [id] });
  assert.equal(byId.SpotInstanceRequests?.[0]?.InstanceId, one);
  await refuses(
    ec2('DescribeSpotInstanceRequests', { SpotInstanceRequestIds: [id, 'sir-00000000'] }),
    'InvalidSpotInstanceRequestID.NotFound',
  );
});
