import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeIn, recordFarm, recordFarmWritten } from '../../src/balancer/observe-farm.ts';
import { initialState, type State } from '../../src/balancer/state.ts';
import { createWorld } from './world.ts';

const CONFIG = createWorld().configOf();
const [A, B, C] = ['http://10.0.0.5:8101', 'http://10.0.0.6:8101', 'http://10.0.0.7:8101'];

function stateWith(listed: readonly string[]): State {
  return initialState({ config: CONFIG, runId: 'run', listed, followsConfig: false, now: 0 });
}

describe('what somebody else has changed in the farm', () => {
  for (const [before, after, change] of [
    [[A, B], [A, B], undefined],
    [[], [], undefined],
    [[A, B], [A], `${B} is not in use any more`],
    [[A, B], [], `${A}, ${B} are not in use any more`],
    [[A], [A, B, C], `${B}, ${C} were added`],
    [[A], [B], `${A} is not in use any more; ${B} was added`],
    [[A, B], [B, A], `the order is ${B} ${A}`],
  ] as const) {
    it(`${before.join(' ')} → ${after.join(' ')}: ${change ?? 'nothing'}`, () => {
      assert.equal(changeIn(before, after), change);
    });
  }

  it('is a warning, once for each change', () => {
    const state = stateWith([A]);
    recordFarm(state, [], 1);
    recordFarm(state, [], 2);
    assert.deepEqual(
      state.outbox.map(({ level }) => level),
      ['warn'],
    );
    assert.deepEqual(state.listed, []);
  });

  it('is not what was read while the balancer wrote, nor before', () => {
    const state = stateWith([A]);
    state.running.add('write-farm');
    recordFarm(state, [A, B], 1);
    state.running.delete('write-farm');
    recordFarmWritten(state, [A, B], 2);
    state.outbox.splice(0);
    recordFarm(state, [A], 1);
    assert.deepEqual([state.outbox, state.listed], [[], [A, B]]);
  });

  it('nor what a write has left that failed', () => {
    const state = stateWith([A]);
    state.retry.set('write-farm', { failures: 1, notBefore: 5 });
    recordFarm(state, [A, B], 1);
    assert.deepEqual([state.outbox, state.listed], [[], [A, B]]);
  });
});
