import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND } from '../../../src/clock.ts';
import type { Ec2Action, Ec2Actions } from '../../../src/ec2/api.ts';
import { isEc2Error, NO_ANSWER } from '../../../src/ec2/errors.ts';
import { createWorld, IMAGE, refuses } from './world.ts';

test('a fault hits the calls that it fits, as often as it says', async () => {
  const { ec2, faults } = createWorld();
  faults.add({ action: 'DescribeSubnets', code: 'RequestLimitExceeded', count: 2 });
  await ec2('DescribeImages', {});
  for (let time = 0; time < 2; time++) await refuses(ec2('DescribeSubnets', {}), 'RequestLimitExceeded');
  await ec2('DescribeSubnets', {});
});

test('a fault can read the request, and can be removed', async () => {
  const { ec2, faults } = createWorld();
  const remove = faults.add({ match: request => 'Owners' in request, code: 'InternalError' });
  await ec2('DescribeImages', {});
  await assert.rejects(ec2('DescribeImages', { Owners: ['self'] }), error => {
    assert.ok(isEc2Error(error));
    assert.deepEqual([error.action, error.code, error.httpStatus], ['DescribeImages', 'InternalError', 500]);
    return true;
  });
  remove();
  await ec2('DescribeImages', { Owners: ['self'] });
});

test('before: nothing has happened; after: it has, and the caller does not know', async () => {
  for (const [when, templates] of [
    ['before', 0],
    ['after', 1],
  ] as const) {
    const { ec2, faults, account } = createWorld();
    faults.add({ when, code: NO_ANSWER });
    const request = { LaunchTemplateName: 'one', LaunchTemplateData: { ImageId: IMAGE } };
    await refuses(ec2('CreateLaunchTemplate', request), NO_ANSWER);
    assert.equal(account.launchTemplates().length, templates);
  }
});

test('a launch whose answer was lost, repeated with its token, is one launch', async () => {
  const { ec2, faults, account, makeTemplate, fleetOf } = createWorld();
  const request = fleetOf(await makeTemplate(), 2, { ClientToken: 'intent' });
  faults.add({ when: 'after', code: NO_ANSWER, count: 1 });
  await refuses(ec2('CreateFleet', request), NO_ANSWER);
  const { Instances } = await ec2('CreateFleet', request);
  assert.deepEqual(
    Instances?.flatMap(it => it.InstanceIds),
    account.instances().map(it => it.id),
  );
});

test("a hang ends with the client's time limit, or when the caller gives up", async () => {
  const { ec2, faults, clock } = createWorld({ timeLimit: 20 * SECOND });
  faults.add({ hang: true });
  await clock.run(refuses(ec2('DescribeSubnets', {}), NO_ANSWER));
  assert.equal(clock.monotonic(), 20 * SECOND);
  const controller = new AbortController();
  void clock.sleep(5 * SECOND).then(() => controller.abort());
  await clock.run(refuses(ec2('DescribeSubnets', {}, { signal: controller.signal }), NO_ANSWER));
  assert.equal(clock.monotonic(), 25 * SECOND);
});

test('a caller that has given up before makes nothing happen', async () => {
  const { ec2, account } = createWorld();
  const request = { LaunchTemplateName: 'one', LaunchTemplateData: {} };
  await refuses(ec2('CreateLaunchTemplate', request, { signal: AbortSignal.abort() }), NO_ANSWER);
  assert.equal(account.launchTemplates().length, 0);
});

test('a call takes its time, and has its effect in the middle', async () => {
  const { ec2, clock, account } = createWorld({ latency: 200 });
  const request = { LaunchTemplateName: 'one', LaunchTemplateData: {} };
  const call = ec2('CreateLaunchTemplate', request);
  await clock.runFor(99);
  assert.equal(account.launchTemplates().length, 0);
  await clock.runFor(1);
  assert.equal(account.launchTemplates().length, 1);
  await clock.run(call);
  assert.equal(clock.monotonic(), 200);
});

test('a dry run of anything changes nothing and says DryRunOperation', async () => {
  const world = createWorld();
  const [id = ''] = await world.launch(1);
  const before = JSON.stringify([
    world.account.instances(),
    world.account.launchTemplates(),
    world.account.groups(),
  ]);
  const template = world.account.launchTemplates()[0]?.id ?? '';
  const requests: { [A in Ec2Action]?: Ec2Actions[A][0] } = {
    CreateFleet: world.fleetOf(template, 1),
    CreateLaunchTemplate: { LaunchTemplateName: 'two', LaunchTemplateData: {} },
    CreateSecurityGroup: { GroupName: 'two', Description: 'two' },
    CreateTags: { Resources: [id], Tags: [{ Key: 'a', Value: 'b' }] },
    DeleteLaunchTemplate: { LaunchTemplateId: template },
    DescribeInstances: {},
    TerminateInstances: { InstanceIds: [id] },
  };
  for (const action of Object.keys(requests) as (keyof typeof requests)[]) {
    await refuses(world.ec2(action, { ...requests[action], DryRun: true }), 'DryRunOperation');
  }
  assert.equal(
    JSON.stringify([world.account.instances(), world.account.launchTemplates(), world.account.groups()]),
    before,
  );
});

test('a dry run is refused to who may not, and fails on an instance that is not there first', async () => {
  const { ec2, faults } = createWorld();
  const InstanceIds = ['i-0123456789abcdef0'];
  await refuses(ec2('TerminateInstances', { InstanceIds, DryRun: true }), 'InvalidInstanceID.NotFound');
  faults.add({ action: ['TerminateInstances', 'CreateFleet'], code: 'UnauthorizedOperation' });
  await refuses(ec2('TerminateInstances', { InstanceIds, DryRun: true }), 'UnauthorizedOperation');
});
