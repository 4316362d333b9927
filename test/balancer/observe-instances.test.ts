import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { servingUrls } from '../../src/balancer/members.ts';
import { recordInstances } from '../../src/balancer/observe-instances.ts';
import { recordProbe } from '../../src/balancer/observe-probe.ts';
import { initialState } from '../../src/balancer/state.ts';
import type { Slave } from '../../src/spot/slave.ts';
import { createWorld } from './world.ts';

const SLAVE: Slave = {
  instanceId: 'i-1',
  state: 'running',
  launchedAt: 0,
  instanceType: 'm5.large',
  availabilityZone: 'us-west-2a',
  address: '10.0.0.5',
  ports: [8101],
  reclaimed: false,
  endedByUser: false,
  data: '',
  imageId: 'ami-1',
};

function served() {
  const state = initialState({
    config: createWorld().configOf(),
    runId: 'run',
    listed: [],
    followsConfig: false,
    now: 0,
  });
  const show = (slave: Slave, now: number) => recordInstances(state, { slaves: [slave], now, wall: now });
  const probe = (address: string, now: number) =>
    recordProbe(state, { instanceId: 'i-1', address, at: now }, 'answered', now);
  show(SLAVE, 1000);
  probe('10.0.0.5', 2000);
  assert.deepEqual(servingUrls(state), ['http://10.0.0.5:8101']);
  return { state, show, probe };
}

describe('a slave in the farm', () => {
  it('whose address changes is not listed at the new one before it has answered there', () => {
    const { state, show, probe } = served();
    show({ ...SLAVE, address: '10.0.0.6' }, 3000);
    assert.deepEqual(servingUrls(state), []);
    probe('10.0.0.5', 4000);
    assert.deepEqual(servingUrls(state), []);
    probe('10.0.0.6', 5000);
    assert.deepEqual(servingUrls(state), ['http://10.0.0.6:8101']);
  });

  it('stays at its address though an answer of EC2 lacks it', () => {
    const { state, show } = served();
    const { address: _, ...without } = SLAVE;
    show(without, 3000);
    assert.deepEqual(servingUrls(state), ['http://10.0.0.5:8101']);
  });
});
