import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpPermission } from '@aws-sdk/client-ec2';
import { SECOND } from '../../../src/clock.ts';
import { createWorld, refuses } from './world.ts';

const MASTER = '192.0.2.7';
const port = (FromPort: number, CidrIp = `${MASTER}/32`): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort,
  ToPort: FromPort,
  IpRanges: [{ CidrIp }],
});

async function createGroup({ ec2 }: ReturnType<typeof createWorld>, GroupName = 'slaves'): Promise<string> {
  const { GroupId } = await ec2('CreateSecurityGroup', { GroupName, Description: 'render slaves' });
  return GroupId ?? '';
}

test('a name is there once in a VPC', async () => {
  const world = createWorld();
  await createGroup(world);
  await refuses(createGroup(world), 'InvalidGroup.Duplicate');
  await refuses(createGroup(world, 'sg-mine'), 'InvalidParameterValue');
});

test('a rule is there once, and a call with a rule that is there adds none of its rules', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [port(8101)] });
  await refuses(
    world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [port(8102), port(8101)] }),
    'InvalidPermission.Duplicate',
  );
  const { SecurityGroups } = await world.ec2('DescribeSecurityGroups', { GroupIds: [GroupId] });
  assert.deepEqual(
    SecurityGroups?.[0]?.IpPermissions?.map(it => it.FromPort),
    [8101],
  );
});

test('the sources of one port are shown together, with their descriptions', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  const rule: IpPermission = {
    IpProtocol: 'tcp',
    FromPort: 8101,
    ToPort: 8101,
    IpRanges: [{ CidrIp: '192.0.2.7/32', Description: 'master' }],
    Ipv6Ranges: [{ CidrIpv6: '2001:db8::7/128' }],
    UserIdGroupPairs: [{ GroupId }],
  };
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [port(8101, '192.0.2.8/32')] });
  const { SecurityGroups } = await world.ec2('DescribeSecurityGroups', { GroupIds: [GroupId] });
  assert.deepEqual(SecurityGroups?.[0]?.IpPermissions, [
    { ...rule, IpRanges: [...(rule.IpRanges ?? []), { CidrIp: '192.0.2.8/32' }], PrefixListIds: [] },
  ]);
});

test('revoking a rule that does not exist is no error in a default VPC: the answer names it', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [port(8101), port(22)] });
  const { UnknownIpPermissions } = await world.ec2('RevokeSecurityGroupIngress', {
    GroupId,
    IpPermissions: [port(22), port(23)],
  });
  assert.deepEqual(
    UnknownIpPermissions?.map(it => it.FromPort),
    [23],
  );
  const rules = world.account.groups().find(it => it.id === GroupId)?.rules;
  assert.deepEqual(
    rules?.map(it => it.fromPort),
    [8101],
  );
});

test('a group in use cannot be deleted until its instances are terminated', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  const [id = ''] = await world.launch(1, { SecurityGroupIds: [GroupId] });
  await refuses(world.ec2('DeleteSecurityGroup', { GroupId }), 'DependencyViolation');
  world.terminate(id);
  await refuses(world.ec2('DeleteSecurityGroup', { GroupId }), 'DependencyViolation');
  await world.clock.runFor(20 * SECOND);
  await world.ec2('DeleteSecurityGroup', { GroupId });
  await refuses(world.ec2('DeleteSecurityGroup', { GroupId }), 'InvalidGroup.NotFound');
});

test("a group that another group's rule names cannot be deleted", async () => {
  const world = createWorld();
  const master = await createGroup(world, 'master');
  const slaves = await createGroup(world, 'slaves');
  const rule = { IpProtocol: 'tcp', FromPort: 8101, ToPort: 8101, UserIdGroupPairs: [{ GroupId: master }] };
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId: slaves, IpPermissions: [rule] });
  await refuses(world.ec2('DeleteSecurityGroup', { GroupId: master }), 'DependencyViolation');
});

test('groups are found by tag, name and id; a young one by its tag only after the lag', async () => {
  const { ec2, clock } = createWorld({ lag: 2 * SECOND });
  const { GroupId = '' } = await ec2('CreateSecurityGroup', {
    GroupName: 'slaves',
    Description: 'render slaves',
    TagSpecifications: [{ ResourceType: 'security-group', Tags: [{ Key: 'master', Value: 'me' }] }],
  });
  const found = async (request: Parameters<typeof ec2<'DescribeSecurityGroups'>>[1]) =>
    (await ec2('DescribeSecurityGroups', request)).SecurityGroups?.map(it => it.GroupId);
  const byTag = { Filters: [{ Name: 'tag:master', Values: ['me'] }] };
  assert.deepEqual(await found(byTag), []);
  assert.deepEqual(await found({ GroupIds: [GroupId] }), [GroupId]);
  await clock.runFor(2 * SECOND);
  assert.deepEqual(await found(byTag), [GroupId]);
  assert.deepEqual(await found({ Filters: [{ Name: 'group-name', Values: ['slaves'] }] }), [GroupId]);
  await refuses(found({ GroupIds: ['sg-0'] }), 'InvalidGroup.NotFound');
});

test('a group allows only the sources and ports of its rules', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  const [id = ''] = await world.launch(1, { SecurityGroupIds: [GroupId] });
  const rule = { ...port(8101, '192.0.2.0/29'), ToPort: 8103, UserIdGroupPairs: [{ GroupId }] };
  await world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
  const table: [number, string, string[], boolean][] = [
    [8101, MASTER, [], true],
    [8103, MASTER, [], true],
    [8104, MASTER, [], false],
    [8101, '192.0.2.8', [], false],
    [8101, '198.51.100.1', [GroupId], true],
  ];
  for (const [to, from, groups, expected] of table) {
    assert.equal(world.account.admits(id, to, from, groups), expected, `${from} to ${to}`);
  }
});

test('what is malformed is refused', async () => {
  const world = createWorld();
  const GroupId = await createGroup(world);
  const authorize = (rule: IpPermission) =>
    world.ec2('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] });
  await refuses(authorize(port(8101, '192.0.2.7')), 'InvalidParameterValue');
  await refuses(authorize(port(8101, '192.0.2.300/32')), 'InvalidParameterValue');
  await refuses(authorize(port(70_000)), 'InvalidParameterValue');
});
