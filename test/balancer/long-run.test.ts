import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld } from './world.ts';

describe('in the long run', () => {
  it('nothing that it remembers grows over 10,000 rounds', async () => {
    const day = Array.from({ length: 700 }, (_, hour) => ({
      from: hour * 8 * MINUTE,
      requestsPerSecond: hour % 2 === 0 ? 0 : 3,
    }));
    const world = createWorld({ load: day, ec2: { callsKept: 10 } });
    world.start();
    await world.until(10_000 * 30 * SECOND + 5 * SECOND);
    const { state } = world.balancer;
    assert.ok(state.launches >= 200, `${state.launches} launches`);
    assert.ok(
      state.members.size <= 3 && state.instancesInFlight.size <= 1 && state.backoff.launches.length <= 24,
    );
    assert.ok(state.said.size <= 10 && state.retry.size <= 5 && state.outbox.length === 0);
    assert.ok(world.clock.sleeping() < 10);
  });
});
