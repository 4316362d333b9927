import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestLaunchTemplateData, SpotAllocationStrategy } from '@aws-sdk/client-ec2';
import { createWorld, refuses, SNAPSHOT, SUBNETS, ZONE_A, ZONE_B, ZONE_C } from './world.ts';

const tags = (Key: string, Value: string) => [{ Key, Value }];

test('a fleet launches what is asked for, and says where', async () => {
  const { ec2, account, makeTemplate, fleetOf } = createWorld();
  const template = await makeTemplate();
  const overrides = [{ InstanceType: 'c5.large' as const, SubnetId: SUBNETS[1] ?? '', MaxPrice: '0.10' }];
  const { Errors, Instances } = await ec2('CreateFleet', fleetOf(template, 3, { overrides }));
  assert.deepEqual(Errors, []);
  const ids = account.instances().map(it => it.id);
  assert.equal(ids.length, 3);
  assert.deepEqual(Instances, [
    {
      LaunchTemplateAndOverrides: {
        LaunchTemplateSpecification: { LaunchTemplateId: template, Version: '1' },
        Overrides: overrides[0],
      },
      Lifecycle: 'spot',
      InstanceIds: ids,
      InstanceType: 'c5.large',
      AvailabilityZone: ZONE_B,
      AvailabilityZoneId: 'usw2-az2',
      SubnetId: SUBNETS[1],
    },
  ]);
});

test("instances, requests and volumes carry the template's tags from birth, the fleet's over them", async () => {
  const { ec2, account, makeTemplate, fleetOf } = createWorld();
  const template = await makeTemplate({
    BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { SnapshotId: SNAPSHOT } }],
    TagSpecifications: [
      { ResourceType: 'instance', Tags: [...tags('Name', 'slave'), ...tags('from', 'template')] },
      { ResourceType: 'spot-instances-request', Tags: tags('Name', 'request') },
      { ResourceType: 'volume', Tags: tags('Name', 'volume') },
    ],
  });
  const { FleetId = '' } = await ec2(
    'CreateFleet',
    fleetOf(template, 1, {
      TagSpecifications: [
        { ResourceType: 'instance', Tags: tags('from', 'fleet') },
        { ResourceType: 'fleet', Tags: tags('Name', 'fleet') },
      ],
    }),
  );
  const [instance] = account.instances();
  assert.deepEqual(instance?.tagsAtBirth, {
    Name: 'slave',
    from: 'fleet',
    'aws:ec2:fleet-id': FleetId,
    'aws:ec2launchtemplate:id': template,
    'aws:ec2launchtemplate:version': '1',
  });
  assert.deepEqual(account.spotRequests()[0]?.tagsAtBirth, { Name: 'request' });
  assert.deepEqual(account.fleets()[0]?.tags, { Name: 'fleet' });
  for (const volume of account.volumes()) assert.deepEqual(volume.tagsAtBirth, { Name: 'volume' });
});

test('volumes are those of the image and of the mappings; at the end only those that are to stay do', async () => {
  const { account, launch, terminate, clock } = createWorld();
  const [id = ''] = await launch(1, {
    BlockDeviceMappings: [
      { DeviceName: '/dev/sdg', Ebs: { SnapshotId: SNAPSHOT, DeleteOnTermination: true } },
      { DeviceName: '/dev/sdh', Ebs: { VolumeSize: 5 } },
    ],
  });
  const devices = () => account.volumes().map(({ deviceName, size }) => [deviceName, size]);
  assert.deepEqual(devices(), [
    ['/dev/sdg', 20],
    ['/dev/sdh', 5],
    ['/dev/xvda', 8],
  ]);
  terminate(id);
  await clock.runFor(20_000);
  assert.deepEqual(devices(), [['/dev/sdh', 5]]);
});

test("what a template names and is not there comes back in Errors[], for each override, as the fleet's only harm", async () => {
  const table: [RequestLaunchTemplateData, string][] = [
    [{ ImageId: 'ami-0123456789abcdef0' }, 'InvalidAMIID.NotFound'],
    [{ ImageId: 'GBrowse' }, 'InvalidAMIID.Malformed'],
    [{ SecurityGroupIds: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound'],
    [{ NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-0123456789abcdef0'] }] }, 'InvalidGroup.NotFound'],
    [{ KeyName: 'nobody' }, 'InvalidKeyPair.NotFound'],
    [
      { BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { SnapshotId: 'snap-0' } }] },
      'InvalidSnapshot.NotFound',
    ],
    [
      { BlockDeviceMappings: [{ DeviceName: '/dev/sdg', Ebs: { SnapshotId: SNAPSHOT, VolumeSize: 3 } }] },
      'InvalidBlockDeviceMapping',
    ],
  ];
  for (const [data, code] of table) {
    const { ec2, makeTemplate, fleetOf } = createWorld();
    const overrides = [{ InstanceType: 'c5.large' as const }, { InstanceType: 'm5.large' as const }];
    const answer = await ec2('CreateFleet', fleetOf(await makeTemplate(data), 1, { overrides }));
    assert.deepEqual(
      answer.Errors?.map(it => [it.ErrorCode, it.LaunchTemplateAndOverrides?.Overrides?.InstanceType]),
      [
        [code, 'c5.large'],
        [code, 'm5.large'],
      ],
    );
    assert.deepEqual(answer.Instances, []);
  }
});

test('what the market refuses stands in Errors[] too, beside what it gave', async () => {
  const { ec2, account, market, makeTemplate, fleetOf } = createWorld({ spotQuota: 8 });
  market.set({ capacity: 2 }, { zone: ZONE_A });
  market.set({ capacity: 3 }, { zone: ZONE_B });
  market.set({ refusal: 'UnfulfillableCapacity' }, { instanceType: 'r5.large' });
  const overrides = [
    { InstanceType: 'c5.large' as const, AvailabilityZone: ZONE_A },
    { InstanceType: 'c5.large' as const, AvailabilityZone: ZONE_B },
    { InstanceType: 'm5.large' as const, AvailabilityZone: ZONE_C, MaxPrice: '0.01' },
    { InstanceType: 'm7i.xlarge' as const, AvailabilityZone: ZONE_B },
    { InstanceType: 't2.nano' as const, AvailabilityZone: ZONE_B },
    { InstanceType: 'r5.large' as const },
  ];
  const template = await makeTemplate();
  const first = await ec2('CreateFleet', fleetOf(template, 6, { overrides }));
  assert.deepEqual(
    first.Instances?.map(it => [it.InstanceType, it.AvailabilityZone, it.InstanceIds?.length]),
    [
      ['c5.large', ZONE_A, 2],
      ['c5.large', ZONE_B, 3],
    ],
  );
  assert.deepEqual(
    first.Errors?.map(({ LaunchTemplateAndOverrides, ErrorCode }) => [
      LaunchTemplateAndOverrides?.Overrides?.InstanceType,
      ErrorCode,
    ]),
    [
      ['m7i.xlarge', 'InvalidFleetConfiguration'],
      ['t2.nano', 'InvalidParameterValue'],
      ['c5.large', 'InsufficientInstanceCapacity'],
      ['c5.large', 'InsufficientInstanceCapacity'],
      ['m5.large', 'SpotMaxPriceTooLow'],
      ['r5.large', 'UnfulfillableCapacity'],
    ],
  );
  const second = await ec2(
    'CreateFleet',
    fleetOf(template, 6, { overrides: [{ InstanceType: 'm6i.large', AvailabilityZone: ZONE_C }] }),
  );
  assert.deepEqual(
    second.Errors?.map(it => it.ErrorCode),
    ['MaxSpotInstanceCountExceeded'],
  );
  assert.equal(account.instances().length, 8);
});

test('a subnet without free addresses gives none, until somebody is terminated', async () => {
  const { launch, terminate, clock, account } = createWorld({
    subnets: [{ id: 'subnet-0000000a', zone: ZONE_A, cidr: '172.31.0.0/29' }],
  });
  const ids = await launch(5);
  assert.deepEqual(
    account.instances().map(it => it.privateAddress),
    ['172.31.0.4', '172.31.0.5', '172.31.0.6'],
  );
  assert.equal((await launch(1)).length, 0);
  terminate(ids[1] ?? '');
  await clock.runFor(20_000);
  const [next = ''] = await launch(1);
  assert.equal(account.instance(next)?.privateAddress, '172.31.0.5');
  assert.equal(account.instanceAt('172.31.0.5')?.id, next);
});

test('on demand: without a request, at no bid, and not from a template with tags for a spot request', async () => {
  const { ec2, account, market, makeTemplate, fleetOf } = createWorld();
  const onDemand = { DefaultTargetCapacityType: 'on-demand', TotalTargetCapacity: 2 } as const;
  const overrides = [{ InstanceType: 'c5.large' as const, AvailabilityZone: ZONE_A }];
  const ask = (template: string) =>
    ec2('CreateFleet', {
      ...fleetOf(template, 2, { overrides }),
      SpotOptions: undefined,
      TargetCapacitySpecification: onDemand,
    });
  market.set({ capacity: 0, price: 9 });
  const plain = await makeTemplate();
  const first = await ask(plain);
  assert.deepEqual(
    first.Instances?.map(it => [it.Lifecycle, it.InstanceIds?.length]),
    [['on-demand', 2]],
  );
  assert.deepEqual(account.spotRequests(), []);
  const { Reservations = [] } = await ec2('DescribeInstances', {});
  for (const it of Reservations.flatMap(one => one.Instances ?? [])) {
    assert.equal(it.InstanceLifecycle, undefined);
    assert.equal(it.SpotInstanceRequestId, undefined);
  }
  // EC2 takes back nothing of it.
  market.set({ capacity: 0, price: 99 });
  assert.ok(account.instances().every(it => it.endsAt === undefined));
  market.set({ onDemandCapacity: 2 });
  assert.deepEqual(
    (await ask(plain)).Errors?.map(it => [it.Lifecycle, it.ErrorCode]),
    [['on-demand', 'InsufficientInstanceCapacity']],
  );
  const tagged = await makeTemplate({
    TagSpecifications: [{ ResourceType: 'spot-instances-request', Tags: tags('Name', 'request') }],
  });
  const refused = await ask(tagged);
  assert.deepEqual(
    [refused.Instances, refused.Errors?.map(it => it.ErrorCode)],
    [[], ['InvalidParameterValue']],
  );
});

test('the strategy says which pool comes first', async () => {
  const prices = { 'c5.large': 0.03, 'm5.large': 0.02 };
  const table: [SpotAllocationStrategy, string[]][] = [
    ['lowest-price', ['m5.large', 'm5.large', 'm5.large', 'm5.large']],
    ['price-capacity-optimized', ['m5.large', 'm5.large', 'm5.large', 'm5.large']],
    ['capacity-optimized', ['c5.large', 'c5.large', 'c5.large', 'c5.large']],
    ['diversified', ['m5.large', 'm5.large', 'c5.large', 'c5.large']],
  ];
  for (const [AllocationStrategy, types] of table) {
    const { ec2, account, market, makeTemplate, fleetOf } = createWorld({ prices });
    market.set({ capacity: 5 }, { instanceType: 'm5.large' });
    market.set({ capacity: 9 }, { instanceType: 'c5.large' });
    const overrides = [
      { InstanceType: 'c5.large' as const, AvailabilityZone: ZONE_A },
      { InstanceType: 'm5.large' as const, AvailabilityZone: ZONE_A },
    ];
    await ec2(
      'CreateFleet',
      fleetOf(await makeTemplate(), 4, { overrides, SpotOptions: { AllocationStrategy } }),
    );
    assert.deepEqual(
      account.instances().map(it => it.instanceType),
      types,
      AllocationStrategy,
    );
  }
});

test('a ClientToken launches once: the same answer again, also while the market has changed', async () => {
  const { ec2, account, market, makeTemplate, fleetOf, clock } = createWorld();
  const template = await makeTemplate();
  const request = fleetOf(template, 2, { ClientToken: 'intent-1' });
  const first = await ec2('CreateFleet', request);
  market.set({ capacity: 0 });
  await clock.runFor(60_000);
  assert.deepEqual(await ec2('CreateFleet', structuredClone(request)), first);
  assert.equal(account.instances().length, 2);
  await refuses(
    ec2('CreateFleet', fleetOf(template, 3, { ClientToken: 'intent-1' })),
    'IdempotentParameterMismatch',
  );
  await ec2('CreateFleet', fleetOf(template, 2, { ClientToken: 'intent-2' }));
  assert.equal(account.fleets().length, 2);
});

test('what is wrong with the request itself fails the whole call', async () => {
  const { ec2, makeTemplate, fleetOf } = createWorld();
  const template = await makeTemplate();
  const config = (LaunchTemplateSpecification: object) => ({
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification }],
  });
  const table: [object, string][] = [
    [config({ LaunchTemplateId: 'lt-0', Version: '1' }), 'InvalidLaunchTemplateId.NotFound'],
    [config({ LaunchTemplateName: 'none', Version: '1' }), 'InvalidLaunchTemplateName.NotFoundException'],
    [config({ LaunchTemplateId: template }), 'MissingParameter'],
    [config({ LaunchTemplateId: template, Version: '7' }), 'InvalidLaunchTemplateId.VersionNotFound'],
    [
      { TargetCapacitySpecification: { TotalTargetCapacity: 0, DefaultTargetCapacityType: 'spot' } },
      'InvalidParameterValue',
    ],
    [
      { TagSpecifications: [{ ResourceType: 'instance', Tags: tags('aws:mine', 'x') }] },
      'InvalidParameterValue',
    ],
  ];
  for (const [change, code] of table) {
    await refuses(ec2('CreateFleet', { ...fleetOf(template, 1), ...change }), code);
  }
  await assert.rejects(
    ec2('CreateFleet', { ...fleetOf(template, 1), Type: 'maintain' }),
    /does not serve CreateFleet of type maintain/,
  );
});
