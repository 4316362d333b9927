import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2';
import { isLive, slaveOf, urlsOf } from '../../src/spot/slave.ts';

const INSTANCE: Instance = {
  InstanceId: 'i-0123456789abcdef0',
  State: { Name: 'running' },
  LaunchTime: new Date('2026-01-01T12:00:00Z'),
  InstanceType: 'm5.large',
  InstanceLifecycle: 'spot',
  ImageId: 'ami-1',
  Placement: { AvailabilityZone: 'us-west-2a' },
  PrivateIpAddress: '10.0.0.5',
  PublicIpAddress: '198.51.100.5',
  Tags: [
    { Key: 'gbrowse-aws-balancer:ports', Value: '8101 8102' },
    { Key: 'gbrowse-aws-balancer:launch', Value: 'run-1' },
    { Key: 'gbrowse-aws-balancer:draining', Value: '2026-01-01T13:00:00.000Z' },
    { Key: 'gbrowse-aws-balancer:data', Value: 'snap-1 snap-2' },
  ],
};

function slave(instance: Partial<Instance> = {}, status?: string, reach: 'private' | 'public' = 'private') {
  const made = slaveOf(
    { ...INSTANCE, ...instance },
    status === undefined ? undefined : { Status: { Code: status } },
    reach,
  );
  assert.ok(made);
  return made;
}

describe('a slave, as EC2 shows it', () => {
  it('has what the balancer wrote on it', () => {
    assert.deepEqual(slave(), {
      instanceId: 'i-0123456789abcdef0',
      state: 'running',
      launchedAt: Date.UTC(2026, 0, 1, 12),
      instanceType: 'm5.large',
      availabilityZone: 'us-west-2a',
      ports: [8101, 8102],
      reclaimed: false,
      endedByUser: false,
      data: 'snap-1 snap-2',
      imageId: 'ami-1',
      address: '10.0.0.5',
      drainingSince: Date.UTC(2026, 0, 1, 13),
      launchToken: 'run-1',
    });
  });

  it('runs on demand where EC2 names no lifecycle', () => {
    const { InstanceLifecycle: _, ...bought } = INSTANCE;
    assert.equal(slaveOf(bought, undefined, 'private')?.onDemand, true);
  });

  it('is reached at its private address from inside EC2, at its public one from elsewhere', () => {
    assert.equal(slave({}, undefined, 'private').address, '10.0.0.5');
    assert.equal(slave({}, undefined, 'public').address, '198.51.100.5');
    const { PublicIpAddress: _, ...young } = INSTANCE;
    assert.equal(slaveOf(young, undefined, 'public')?.address, undefined);
    assert.equal(slave({ PublicIpAddress: '' }, undefined, 'public').address, undefined);
  });

  it('is none where the answer lacks id or state', () => {
    assert.equal(slaveOf({}, undefined, 'private'), undefined);
    assert.equal(slaveOf({ InstanceId: 'i-1' }, undefined, 'private'), undefined);
  });

  it('may carry tags that somebody has spoilt', () => {
    const Tags = [{ Key: 'gbrowse-aws-balancer:draining', Value: 'yesterday' }];
    const { drainingSince, ports } = slave({ Tags });
    assert.deepEqual([drainingSince, ports], [undefined, []]);
  });

  const STATUS: readonly (readonly [code: string, reclaimed: boolean])[] = [
    ['fulfilled', false],
    ['marked-for-termination', true],
    ['marked-for-stop', true],
    ['instance-terminated-by-price', true],
    ['instance-terminated-no-capacity', true],
    ['instance-terminated-by-service', true],
    ['instance-terminated-capacity-oversubscribed', true],
    ['instance-terminated-launch-group-constraint', true],
    ['instance-terminated-by-user', false],
    ['instance-terminated-by-experiment-of-somebody', false],
    ['request-canceled-and-instance-running', false],
    ['pending-evaluation', false],
    ['not-marked-for-termination', false],
  ];
  for (const [code, reclaimed] of STATUS) {
    it(`whose spot request is ${code} is ${reclaimed ? '' : 'not '}being taken back`, () => {
      const { reclaimed: is, reason } = slave({}, code);
      assert.equal(is, reclaimed);
      assert.equal(reason, reclaimed ? `its spot request is ${code}` : undefined);
    });
  }

  it('that EC2 has ended says so itself, in EC2’s words', () => {
    const { reclaimed, reason } = slave({
      State: { Name: 'shutting-down' },
      StateReason: { Code: 'Server.SpotInstanceTermination', Message: 'Server.SpotInstanceTermination: no' },
    });
    assert.deepEqual([reclaimed, reason], [true, 'Server.SpotInstanceTermination: no']);
  });

  const LIVE: Record<InstanceStateName, boolean> = {
    pending: true,
    running: true,
    stopping: true,
    stopped: true,
    'shutting-down': false,
    terminated: false,
  };
  for (const [state, live] of Object.entries(LIVE)) {
    it(`that is ${state} ${live ? 'counts' : 'counts no more'}`, () => {
      assert.equal(isLive({ ...slave(), state: state as InstanceStateName }), live);
    });
  }

  it('has one URL per port; an IPv6 address is in brackets', () => {
    assert.deepEqual(urlsOf('10.0.0.5', [8101, 8102]), ['http://10.0.0.5:8101', 'http://10.0.0.5:8102']);
    assert.deepEqual(urlsOf('fd00::5', [8101]), ['http://[fd00::5]:8101']);
  });
});
