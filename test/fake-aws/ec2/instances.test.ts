import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, MINUTE, SECOND } from '../../../src/clock.ts';
import { createWorld, refuses } from './world.ts';

test('pending with a private address, running with a public one, then shutting down, terminated, forgotten', async () => {
  const { ec2, clock, launch, shown } = createWorld();
  const [id = ''] = await launch(1);
  const look = async () => {
    const [it] = await shown();
    return [it?.State?.Name, it?.PrivateIpAddress, it?.PublicIpAddress, it?.State?.Code];
  };
  assert.deepEqual(await look(), ['pending', '172.31.0.4', undefined, 0]);
  await clock.runFor(10 * SECOND);
  assert.deepEqual(await look(), ['running', '172.31.0.4', '198.18.128.4', 16]);
  await ec2('TerminateInstances', { InstanceIds: [id] });
  assert.deepEqual((await look())[0], 'shutting-down');
  await clock.runFor(20 * SECOND);
  assert.deepEqual(await look(), ['terminated', undefined, undefined, 48]);
  await clock.runFor(HOUR - 1);
  assert.equal((await look())[0], 'terminated');
  await clock.runFor(1);
  assert.deepEqual(await shown(), []);
  await refuses(ec2('TerminateInstances', { InstanceIds: [id] }), 'InvalidInstanceID.NotFound');
});

test('why an instance ended stands in its StateReason', async () => {
  const table = [
    ['terminate', 'Client.UserInitiatedShutdown', /^User initiated \(2026-01-01 00:00:00 GMT\)$/],
    ['powerOff', 'Client.InstanceInitiatedShutdown', /^Client\.InstanceInitiatedShutdown$/],
    ['fail', 'Server.InternalError', /^Server\.InternalError$/],
  ] as const;
  for (const [end, code, transition] of table) {
    const world = createWorld();
    const [id = ''] = await world.launch(1);
    assert.equal((await world.shown())[0]?.StateReason, undefined);
    world[end](id);
    const [it] = await world.shown();
    assert.equal(it?.StateReason?.Code, code);
    assert.match(it?.StateTransitionReason ?? '', transition);
  }
});

test('terminating again is no error and changes nothing', async () => {
  const { ec2, launch, clock, account } = createWorld();
  const InstanceIds = await launch(1);
  const first = await ec2('TerminateInstances', { InstanceIds });
  assert.deepEqual(first.TerminatingInstances?.[0]?.PreviousState, { Name: 'pending', Code: 0 });
  const endsAt = account.instances()[0]?.endsAt;
  await clock.runFor(MINUTE);
  const second = await ec2('TerminateInstances', { InstanceIds });
  assert.deepEqual(second.TerminatingInstances?.[0]?.CurrentState, { Name: 'terminated', Code: 48 });
  assert.equal(account.instances()[0]?.endsAt, endsAt);
});

test('one unknown id fails the whole call', async () => {
  const { ec2, launch, account } = createWorld();
  const [id = ''] = await launch(1);
  const unknown = 'i-0123456789abcdef0';
  await refuses(ec2('TerminateInstances', { InstanceIds: [id, unknown] }), 'InvalidInstanceID.NotFound');
  await refuses(ec2('DescribeInstances', { InstanceIds: [id, unknown] }), 'InvalidInstanceID.NotFound');
  await refuses(ec2('TerminateInstances', { InstanceIds: [id, 'slave-1'] }), 'InvalidInstanceID.Malformed');
  assert.equal(account.instance(id)?.state, 'pending');
});

test('what EC2 shows is behind the truth by the lag: births, states and tags', async () => {
  const { ec2, launch, clock, shown, account } = createWorld({ lag: 3 * SECOND });
  const [id = ''] = await launch(1);
  assert.equal(account.instances().length, 1);
  assert.deepEqual(await shown(), []);
  await refuses(ec2('DescribeInstances', { InstanceIds: [id] }), 'InvalidInstanceID.NotFound');
  await refuses(ec2('TerminateInstances', { InstanceIds: [id] }), 'InvalidInstanceID.NotFound');
  await clock.runFor(3 * SECOND);
  assert.equal((await shown())[0]?.State?.Name, 'pending');
  await clock.runFor(7 * SECOND);
  assert.equal(account.instance(id)?.state, 'running');
  assert.equal((await shown())[0]?.State?.Name, 'pending');
  await clock.runFor(3 * SECOND);
  assert.equal((await shown())[0]?.State?.Name, 'running');

  await ec2('CreateTags', { Resources: [id], Tags: [{ Key: 'draining', Value: 'now' }] });
  const draining = { Name: 'tag:draining', Values: ['now'] };
  assert.deepEqual(await shown(draining), []);
  await clock.runFor(3 * SECOND);
  assert.equal((await shown(draining)).length, 1);
});

test('filters: every one must fit, any of its values does, with wildcards', async () => {
  const { launch, shown, clock, terminate } = createWorld();
  const tagged = (Value: string) => ({
    TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'master', Value }] }],
  });
  const [one = ''] = await launch(1, tagged('alpha'));
  const [two = ''] = await launch(1, tagged('beta.*'), [{ InstanceType: 'm5.large' }]);
  await clock.runFor(10 * SECOND);
  terminate(two);
  const table: [string, string[], string[]][] = [
    ['tag:master', ['alpha'], [one]],
    ['tag:master', ['Alpha'], []],
    ['tag:master', ['alpha', 'beta.*'], [one, two]],
    ['tag:master', ['?l*'], [one]],
    ['tag:master', ['beta.\\*'], [two]],
    ['tag:master', ['b.*'], []],
    ['tag:other', ['*'], []],
    ['tag-key', ['master'], [one, two]],
    ['instance-state-name', ['pending', 'running'], [one]],
    ['instance-state-name', ['shutting-down'], [two]],
    ['instance-id', [two], [two]],
    ['instance-type', ['m5.*'], [two]],
    ['instance-lifecycle', ['spot'], [one, two]],
  ];
  for (const [Name, Values, expected] of table) {
    const found = (await shown({ Name, Values })).map(it => it.InstanceId);
    assert.deepEqual(found, expected, `${Name} ${Values}`);
  }
  assert.deepEqual(
    await shown({ Name: 'tag-key', Values: ['master'] }, { Name: 'instance-type', Values: ['t2.*'] }),
    [],
  );
});

test('a filter that the stand-in does not know is a bug that it names', async () => {
  const { shown } = createWorld();
  await assert.rejects(shown({ Name: 'colour', Values: ['red'] }), error => {
    assert.ok(error instanceof Error && error.name === 'Error');
    assert.match(error.message, /DescribeInstances: the filter "colour"/);
    return true;
  });
});

test('pages show everybody once, whatever comes or goes between them', async () => {
  const { ec2, launch, shown } = createWorld({ spotQuota: 100 });
  const early = await launch(12);
  const first = await ec2('DescribeInstances', { MaxResults: 5 });
  const late = await launch(3);
  const ids: (string | undefined)[] = [];
  let page = first;
  for (;;) {
    const members = (page.Reservations ?? []).flatMap(it => it.Instances ?? []);
    assert.ok(members.length <= 5);
    ids.push(...members.map(it => it.InstanceId));
    if (page.NextToken === undefined) break;
    page = await ec2('DescribeInstances', { MaxResults: 5, NextToken: page.NextToken });
  }
  assert.deepEqual(ids, [...early, ...late]);
  assert.equal((await shown()).length, 15);
  await refuses(ec2('DescribeInstances', { MaxResults: 4 }), 'InvalidParameterValue');
  await refuses(ec2('DescribeInstances', { NextToken: 'x' }), 'InvalidPaginationToken');
  await refuses(
    ec2('DescribeInstances', { MaxResults: 5, InstanceIds: early }),
    'InvalidParameterCombination',
  );
});

test('a master whose wall clock steps does not change what EC2 calls now', async () => {
  const { clock, launch, shown } = createWorld();
  await launch(1);
  const before = (await shown())[0]?.LaunchTime;
  clock.stepWall(-HOUR);
  await launch(1);
  const times = (await shown()).map(it => it.LaunchTime);
  assert.deepEqual(times, [before, before]);
});

test('an instance without a public address has none', async () => {
  const { launch, clock, shown } = createWorld();
  await launch(1, { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: false }] });
  await clock.runFor(10 * SECOND);
  assert.equal((await shown())[0]?.PublicIpAddress, undefined);
});

test('tags: what EC2 refuses, and that all resources are tagged or none', async () => {
  const { ec2, launch, account } = createWorld();
  const [id = ''] = await launch(1);
  const tag = (Key: string, Resources = [id]) => ec2('CreateTags', { Resources, Tags: [{ Key, Value: '' }] });
  await refuses(tag('aws:mine'), 'InvalidParameterValue');
  await refuses(tag('x'.repeat(129)), 'InvalidParameterValue');
  await refuses(tag('fine', [id, 'i-0123456789abcdef0']), 'InvalidInstanceID.NotFound');
  assert.equal(Object.hasOwn(account.instance(id)?.tags ?? {}, 'fine'), false);
  await tag('fine', [id, account.instance(id)?.spotRequestId ?? '']);
  assert.equal(account.instance(id)?.tags.fine, '');
  assert.equal(account.spotRequests()[0]?.tags.fine, '');
  assert.equal(Object.hasOwn(account.instance(id)?.tagsAtBirth ?? {}, 'fine'), false);
});
