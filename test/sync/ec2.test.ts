import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error, NO_ANSWER } from '../../src/ec2/errors.ts';
import { patient } from '../../src/ec2/retry.ts';
import { type LaunchRequest, launchStaging } from '../../src/staging/instance.ts';
import { createSnapshots, findSets } from '../../src/sync/snapshots/snapshots.ts';
import { createVirtualClock } from '../fake-aws/virtual-clock.ts';

type Call = { readonly action: string; readonly request: unknown };
type Answer = (request: unknown, times: number) => unknown;

/** An EC2 that answers as it is told, and its calls. */
function scripted(answers: Readonly<Record<string, Answer>>): {
  readonly ec2: Ec2;
  readonly calls: readonly Call[];
} {
  const calls: Call[] = [];
  const ec2 = (async (action: string, request: unknown) => {
    const times = calls.filter(it => it.action === action).length;
    calls.push({ action, request });
    const answer = answers[action];
    if (answer === undefined) throw new Error(`nobody has said what ${action} answers`);
    const given = answer(request, times);
    if (given instanceof Error) throw given;
    return given;
  }) as Ec2;
  return { ec2, calls };
}

const RUN = { master: 'master', id: 'run' };
const never = new AbortController().signal;
const lost = (action: string) => new Ec2Error(action, NO_ANSWER, 'no answer');

describe('a patient EC2', () => {
  for (const [what, error] of [
    ['no answer', lost('DescribeVolumes')],
    ['a busy service', new Ec2Error('DescribeVolumes', 'RequestLimitExceeded', 'slowly', 503)],
  ] as const) {
    test(`waits for what passes by itself: ${what}`, async () => {
      const clock = createVirtualClock();
      const { ec2, calls } = scripted({
        DescribeVolumes: (_, times) => (times < 4 ? error : { Volumes: [] }),
      });
      assert.deepEqual(await clock.run(patient(ec2, clock)('DescribeVolumes', {})), { Volumes: [] });
      assert.equal(calls.length, 5);
    });
  }

  test('not for what does not, and not for ever', async () => {
    const clock = createVirtualClock();
    const denied = new Ec2Error('DescribeVolumes', 'UnauthorizedOperation', 'no', 403);
    const refusing = scripted({ DescribeVolumes: () => denied });
    await assert.rejects(clock.run(patient(refusing.ec2, clock)('DescribeVolumes', {})), denied);
    assert.equal(refusing.calls.length, 1);
    const dead = scripted({ DescribeVolumes: () => lost('DescribeVolumes') });
    await assert.rejects(clock.run(patient(dead.ec2, clock)('DescribeVolumes', {})), /no answer/);
    assert.ok(clock.monotonic() < 11 * 60_000);
  });
});

describe('the staging instance', () => {
  const plan: LaunchRequest = {
    imageId: 'ami-1',
    devices: [],
    instanceTypes: ['m5.large', 'm6i.large'],
    placements: [
      { subnetId: 'subnet-a', vpcId: 'vpc-1', availabilityZone: 'us-west-2a' },
      { subnetId: 'subnet-b', vpcId: 'vpc-1', availabilityZone: 'us-west-2b' },
    ],
    reach: 'public',
    admitted: '192.0.2.1',
    userData: '#!/bin/sh\n',
  };
  const full = new Ec2Error('RunInstances', 'InsufficientInstanceCapacity', 'full', 500);
  const others: Record<string, Answer> = {
    CreateSecurityGroup: () => ({ GroupId: 'sg-1' }),
    AuthorizeSecurityGroupIngress: () => ({}),
    DescribeInstances: (_, times) => ({
      Reservations: [
        {
          Instances: [
            {
              InstanceId: 'i-1',
              InstanceType: 'm6i.large',
              State: { Name: times < 2 ? 'pending' : 'running' },
              ...(times > 2 && { PublicIpAddress: '198.51.100.1' }),
            },
          ],
        },
      ],
    }),
  };

  test('is tried in every zone and type, each time with a token of its own, in one group', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = scripted({ ...others, RunInstances: (_, times) => (times < 3 ? full : {}) });
    const staging = await clock.run(launchStaging(ec2, RUN, plan, clock, never));
    assert.deepEqual(staging, { instanceId: 'i-1', address: '198.51.100.1', instanceType: 'm6i.large' });
    const launches = calls
      .filter(it => it.action === 'RunInstances')
      .map(it => JSON.parse(JSON.stringify(it.request)));
    assert.deepEqual(
      launches.map(it => [it.InstanceType, it.NetworkInterfaces[0].SubnetId, it.ClientToken]),
      [
        ['m5.large', 'subnet-a', 'run-0'],
        ['m5.large', 'subnet-b', 'run-1'],
        ['m6i.large', 'subnet-a', 'run-2'],
        ['m6i.large', 'subnet-b', 'run-3'],
      ],
    );
    assert.equal(calls.filter(it => it.action === 'CreateSecurityGroup').length, 1);
    const kinds = launches[0].TagSpecifications.map((it: { ResourceType: string }) => it.ResourceType);
    assert.deepEqual(kinds, ['instance', 'volume', 'network-interface']);
    assert.equal(launches[0].InstanceInitiatedShutdownBehavior, 'terminate');
  });

  test('whose type a zone does not have is tried in the next zone, and in the next type', async () => {
    const clock = createVirtualClock();
    const refused = new Ec2Error('RunInstances', 'Unsupported', 'not supported in your requested zone', 400);
    const { ec2, calls } = scripted({ ...others, RunInstances: (_, times) => (times < 2 ? refused : {}) });
    await clock.run(launchStaging(ec2, RUN, plan, clock, never));
    const last = calls.filter(it => it.action === 'RunInstances').at(-1);
    assert.match(JSON.stringify(last?.request), /"m6i\.large".*"subnet-a"/);
  });

  const ended = (InstanceId: string, code: string, message: string) => ({
    Reservations: [
      {
        Instances: [
          { InstanceId, State: { Name: 'terminated' }, StateReason: { Code: code, Message: message } },
        ],
      },
    ],
  });

  test('that ends at once for want of capacity is tried elsewhere', async () => {
    const clock = createVirtualClock();
    const code = 'Server.InsufficientInstanceCapacity';
    const running = {
      InstanceId: 'i-2',
      InstanceType: 'm5.large',
      State: { Name: 'running' },
      PublicIpAddress: '198.51.100.2',
    };
    const { ec2, calls } = scripted({
      ...others,
      RunInstances: () => ({}),
      DescribeInstances: (_, times) => {
        const first = ended('i-1', code, `${code}: no capacity`);
        return times === 0 ? first : { Reservations: [...first.Reservations, { Instances: [running] }] };
      },
    });
    assert.equal((await clock.run(launchStaging(ec2, RUN, plan, clock, never))).instanceId, 'i-2');
    assert.equal(calls.filter(it => it.action === 'RunInstances').length, 2);
  });

  test('that ends at once because of a key is an error that names KMS', async () => {
    const clock = createVirtualClock();
    const { ec2 } = scripted({
      ...others,
      RunInstances: () => ({}),
      DescribeInstances: () =>
        ended('i-1', 'Client.InternalError', 'Client.InternalError: Client error on launch'),
    });
    await assert.rejects(
      clock.run(launchStaging(ec2, RUN, plan, clock, never)),
      /i-1 ended .*: Client\.InternalError: Client error on launch.* KMS key .*kms:CreateGrant/,
    );
  });

  test('that nobody has room for is an error that says where it was tried', async () => {
    const clock = createVirtualClock();
    const { ec2 } = scripted({ ...others, RunInstances: () => full });
    await assert.rejects(
      clock.run(launchStaging(ec2, RUN, plan, clock, never)),
      /m5\.large in us-west-2a: InsufficientInstanceCapacity.*m6i\.large in us-west-2b/,
    );
  });
});

describe('the snapshots of a set', () => {
  const volumes = ['vol-b', 'vol-a'].map((volumeId, at) => ({
    volumeId,
    device: `/dev/sd${'gh'[at]}`,
    size: 1,
    isNew: true,
  }));
  const snapshot = (volume: string, more: object = {}) => ({
    SnapshotId: `snap-of-${volume}`,
    VolumeId: volume,
    State: 'completed',
    StartTime: new Date(5),
    VolumeSize: 1,
    Tags: [
      { Key: 'gbrowse-aws-balancer:sync', Value: 'run' },
      { Key: 'gbrowse-aws-balancer:set', Value: 'vol-b vol-a' },
    ],
    ...more,
  });

  test('are not made twice when the answer is lost', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = scripted({
      CreateSnapshots: () => lost('CreateSnapshots'),
      DescribeSnapshots: () => ({ Snapshots: [snapshot('vol-a'), snapshot('vol-b')] }),
    });
    const ids = await clock.run(
      createSnapshots({ ec2, ec2Once: ec2, clock, signal: never }, RUN, 'i-1', volumes, []),
    );
    assert.deepEqual(ids, ['snap-of-vol-b', 'snap-of-vol-a']);
    assert.equal(calls.filter(it => it.action === 'CreateSnapshots').length, 1);
  });

  test('are waited for where EBS makes one of a volume in 15 seconds', async () => {
    const clock = createVirtualClock();
    const rate = new Ec2Error('CreateSnapshots', 'SnapshotCreationPerVolumeRateExceeded', 'slowly', 400);
    const { ec2 } = scripted({
      CreateSnapshots: (_, times) =>
        times < 2 ? rate : { Snapshots: [snapshot('vol-a'), snapshot('vol-b')] },
      DescribeSnapshots: () => ({ Snapshots: [] }),
    });
    const tools = { ec2, ec2Once: ec2, clock, signal: never };
    const ids = await clock.run(createSnapshots(tools, RUN, 'i-1', volumes, []));
    assert.deepEqual(ids, ['snap-of-vol-b', 'snap-of-vol-a']);
    assert.ok(clock.monotonic() >= 15_000);
  });

  test('are made again when the call had no effect', async () => {
    const clock = createVirtualClock();
    const { ec2, calls } = scripted({
      CreateSnapshots: (_, times) =>
        times === 0 ? lost('CreateSnapshots') : { Snapshots: [snapshot('vol-a'), snapshot('vol-b')] },
      DescribeSnapshots: () => ({ Snapshots: [] }),
    });
    await clock.run(
      createSnapshots({ ec2, ec2Once: ec2, clock, signal: never }, RUN, 'i-1', volumes, ['vol-x']),
    );
    assert.equal(calls.filter(it => it.action === 'CreateSnapshots').length, 2);
    assert.match(JSON.stringify(calls[0]), /"ExcludeDataVolumeIds":\["vol-x"\]/);
  });

  for (const [what, snapshots, isComplete, isUnderWay] of [
    ['all of them', [snapshot('vol-a'), snapshot('vol-b')], true, true],
    ['one is stored still', [snapshot('vol-a', { State: 'pending' }), snapshot('vol-b')], false, true],
    ['one has failed', [snapshot('vol-a', { State: 'error' }), snapshot('vol-b')], false, false],
    ['one was deleted', [snapshot('vol-a')], false, false],
    ['without a note of what belongs to it', [snapshot('vol-a', { Tags: [] })], false, false],
  ] as const) {
    test(`are found again in the order of their devices: ${what}`, async () => {
      const { ec2 } = scripted({ DescribeSnapshots: () => ({ Snapshots: snapshots }) });
      const [set] = await findSets(ec2, 'master');
      assert.deepEqual([set?.isComplete, set?.isUnderWay], [isComplete, isUnderWay]);
      if (isComplete) assert.deepEqual(set?.ids, ['snap-of-vol-b', 'snap-of-vol-a']);
    });
  }
});
