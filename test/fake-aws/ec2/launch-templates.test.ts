import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, IMAGE, refuses } from './world.ts';

const named = (LaunchTemplateName: string) => ({
  LaunchTemplateName,
  LaunchTemplateData: { ImageId: IMAGE },
});

test('a template is found by its id, its name and its tags', async () => {
  const { ec2 } = createWorld();
  const { LaunchTemplate } = await ec2('CreateLaunchTemplate', {
    ...named('gbrowse/one'),
    TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'owner', Value: 'me' }] }],
  });
  await ec2('CreateLaunchTemplate', named('two'));
  const requests = [
    { LaunchTemplateIds: [LaunchTemplate?.LaunchTemplateId ?? ''] },
    { LaunchTemplateNames: ['gbrowse/one'] },
    { Filters: [{ Name: 'tag:owner', Values: ['me'] }] },
    { Filters: [{ Name: 'tag-key', Values: ['own*'] }] },
    { Filters: [{ Name: 'launch-template-name', Values: ['gbrowse/*'] }] },
  ];
  for (const request of requests) {
    const { LaunchTemplates } = await ec2('DescribeLaunchTemplates', request);
    assert.deepEqual(LaunchTemplates, [LaunchTemplate], JSON.stringify(request));
  }
});

test('what EC2 refuses about templates', async () => {
  const { ec2 } = createWorld();
  await ec2('CreateLaunchTemplate', named('taken'));
  const create = (more: object) => ec2('CreateLaunchTemplate', { ...named('fresh'), ...more });
  const table: [Promise<unknown>, string][] = [
    [create(named('taken')), 'InvalidLaunchTemplateName.AlreadyExistsException'],
    [create(named('no blanks')), 'InvalidLaunchTemplateName.MalformedException'],
    [create({ LaunchTemplateData: { UserData: '#!/bin/sh' } }), 'InvalidUserData.Malformed'],
    [
      create({ LaunchTemplateData: { UserData: Buffer.alloc(16_385).toString('base64') } }),
      'InvalidParameterValue',
    ],
    [create({ TagSpecifications: [{ ResourceType: 'instance', Tags: [] }] }), 'InvalidParameterValue'],
    [ec2('DescribeLaunchTemplates', { LaunchTemplateIds: ['lt-0'] }), 'InvalidLaunchTemplateId.NotFound'],
    [
      ec2('DescribeLaunchTemplates', { LaunchTemplateNames: ['x'] }),
      'InvalidLaunchTemplateName.NotFoundException',
    ],
    [ec2('DeleteLaunchTemplate', { LaunchTemplateName: 'x' }), 'InvalidLaunchTemplateName.NotFoundException'],
  ];
  for (const [call, code] of table) await refuses(call, code);
});

test('a deleted template is gone at once, and its name is free again', async () => {
  const { ec2 } = createWorld();
  const { LaunchTemplate } = await ec2('CreateLaunchTemplate', named('again'));
  const id = LaunchTemplate?.LaunchTemplateId ?? '';
  await ec2('DeleteLaunchTemplate', { LaunchTemplateId: id });
  await refuses(ec2('DeleteLaunchTemplate', { LaunchTemplateId: id }), 'InvalidLaunchTemplateId.NotFound');
  await ec2('CreateLaunchTemplate', named('again'));
});

test('the same ClientToken makes one template, and changes nothing with other parameters', async () => {
  const { ec2, account } = createWorld();
  const first = await ec2('CreateLaunchTemplate', { ...named('one'), ClientToken: 'token' });
  assert.deepEqual(await ec2('CreateLaunchTemplate', { ClientToken: 'token', ...named('one') }), first);
  await refuses(
    ec2('CreateLaunchTemplate', { ...named('two'), ClientToken: 'token' }),
    'IdempotentParameterMismatch',
  );
  assert.equal(account.launchTemplates().length, 1);
});

test('a parameter that the stand-in does not understand is a bug that it names', async () => {
  const { ec2 } = createWorld();
  await assert.rejects(
    ec2('CreateLaunchTemplate', { ...named('one'), LaunchTemplateData: { RamDiskId: 'ari-1' } }),
    /does not serve LaunchTemplateData\.RamDiskId/,
  );
});
