import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apply, type Transition } from '../../src/balancer/apply.ts';
import { decide } from '../../src/balancer/decide.ts';
import { initialState, type Member, type State, type Stop } from '../../src/balancer/state.ts';
import type { Task } from '../../src/balancer/tasks.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { NO_LOAD } from '../../src/load/rate.ts';
import type { LaunchPlan } from '../../src/spot/launch.ts';
import { createWorld } from './world.ts';

const NOW = 20 * MINUTE;
const PLAN: LaunchPlan = { templateId: 'lt-1', imageId: 'ami-1', pools: [], spotBid: 0.1, found: false };
const CONFIG = createWorld({ table: [[1, 2, 3]] }).configOf();

/** A slave that has served since long before. */
function member(number: number, more: Partial<Member> = {}): Member {
  return {
    slave: {
      instanceId: `i-${number}`,
      state: 'running',
      launchedAt: number,
      instanceType: 'm5.large',
      availabilityZone: 'us-west-2a',
      address: `10.0.0.${number}`,
      ports: [8101],
      reclaimed: false,
      endedByUser: false,
      data: '',
      imageId: 'ami-1',
    },
    firstSeen: 0,
    readySince: MINUTE,
    probedAt: NOW,
    proven: true,
    failures: 0,
    refusals: 0,
    mayBeInUse: true,
    missing: 0,
    ...more,
  };
}

/** A balancer in the midst of its work: EC2 has just answered, the load is known, nothing is due. */
function stateWith(members: readonly Member[], change: (state: State) => void = () => {}): State {
  const listed = members.flatMap(it =>
    it.readySince === undefined || it.leaving !== undefined ? [] : [`http://${it.slave.address}:8101`],
  );
  const state = initialState({ config: CONFIG, runId: 'run', listed, followsConfig: false, now: 0 });
  state.nextPollAt = NOW + 30 * SECOND;
  state.nextReadingAt = NOW + 10 * SECOND;
  state.readAt = NOW;
  state.load = { ...NO_LOAD, ownRequests: 1, rate: 3, measuredAt: NOW };
  state.lastRate = 3;
  state.describedAt = NOW;
  state.answeredAt = NOW;
  state.reloadOwed = false;
  state.plan = PLAN;
  state.plannedAt = NOW;
  state.preparedAt = 0;
  state.aliveAt = NOW;
  for (const it of members) state.members.set(it.slave.instanceId, it);
  change(state);
  return state;
}

const leaving = (reason: 'it does not answer' | 'more slaves than the load needs') => ({
  reason,
  tagged: false,
});

/** A task in a few words. */
function taskInWords(task: Task): string {
  switch (task.kind) {
    case 'launch':
      return `launch ${task.request.count}`;
    case 'write-farm':
      return `write-farm ${task.urls.length}`;
    case 'mark-draining':
    case 'terminate':
      return `${task.kind} ${task.instanceIds.join(' ')}`;
    case 'probe':
      return `probe ${task.instanceId}`;
    default:
      return task.kind;
  }
}

function transitionInWords(transition: Transition): string[] {
  if (transition.kind === 'say') return [];
  const id = 'instanceId' in transition ? ` ${transition.instanceId}` : '';
  return [`${transition.kind}${id}`];
}

type Row = readonly [
  what: string,
  state: State,
  tasks: readonly string[],
  transitions: readonly string[],
  end?: string,
];

const stopped =
  (more: Partial<Stop> = {}) =>
  (state: State): void => {
    state.stop = { since: NOW, keepSlaves: false, ...more };
  };

const ROWS: readonly Row[] = [
  ['does nothing while all is as it should be', stateWith([member(1), member(2)]), [], []],
  ['launches what is missing', stateWith([]), ['launch 2'], ['request launch']],
  [
    'launches nothing on the strength of an old answer of EC2',
    stateWith([], it => {
      it.answeredAt = NOW - MINUTE;
    }),
    ['describe'],
    [],
  ],
  [
    'launches nothing while a launch is running',
    stateWith([], it => {
      it.running.add('launch');
      it.launchInFlight = { token: 'run-1', count: 2, plan: PLAN, shown: 0 };
    }),
    [],
    [],
  ],
  [
    'counts what EC2 does not show yet',
    stateWith([member(1)], it => {
      it.instancesInFlight.set('i-9', NOW);
    }),
    [],
    [],
  ],
  [
    'prepares before it launches',
    stateWith([], it => {
      delete it.plan;
    }),
    ['prepare'],
    [],
  ],
  [
    'takes what the load does not need out of the farm, the newest first',
    stateWith([1, 2, 3, 4].map(it => member(it))),
    ['write-farm 3'],
    ['release i-4'],
  ],
  [
    'releases nothing while the load is unknown',
    stateWith(
      [1, 2, 3, 4].map(it => member(it)),
      it => {
        it.loadError = 'connection refused';
      },
    ),
    [],
    [],
  ],
  [
    'keeps a slave that was to leave when the load has risen again',
    stateWith([member(1), member(2, { leaving: leaving('more slaves than the load needs') })], it => {
      it.listed = ['http://10.0.0.1:8101', 'http://10.0.0.2:8101'];
    }),
    [],
    ['keep i-2'],
  ],
  [
    'tags a slave that has left the farm',
    stateWith([member(1), member(2), member(3, { leaving: leaving('it does not answer') })]),
    ['mark-draining i-3'],
    ['drain i-3'],
  ],
  [
    'terminates after the drain',
    stateWith([
      member(1),
      member(2),
      member(3, { leaving: { ...leaving('it does not answer'), tagged: true, outSince: NOW - MINUTE } }),
    ]),
    ['terminate i-3'],
    [],
  ],
  [
    'terminates at once what nobody can be using',
    stateWith([
      member(1),
      member(2),
      member(3, { mayBeInUse: false, leaving: leaving('it does not answer') }),
    ]),
    ['terminate i-3'],
    ['drain i-3'],
  ],
  [
    'gives up on a slave that is not ready in time',
    stateWith([
      member(1),
      member(2),
      (({ readySince: _, ...it }) => it)(member(3, { failedAfterAnswerAt: NOW - SECOND })),
    ]),
    ['mark-draining i-3'],
    ['release i-3', 'count failed boot', 'drain i-3'],
  ],
  [
    'takes a slave that has served for a whole boot timeout as proof of its image',
    stateWith([member(1), member(2, { proven: false })]),
    [],
    ['prove i-2'],
  ],
  [
    'reads the load and the farm file when a poll is due',
    stateWith([member(1), member(2)], it => {
      it.nextPollAt = NOW;
    }),
    ['read-load', 'read-farm'],
    ['poll', 'reading'],
  ],
  [
    'probes a slave that missed a probe again within a second',
    stateWith([member(1), member(2, { failures: 1, probedAt: NOW - SECOND })]),
    ['probe i-2'],
    [],
  ],
  [
    'empties the farm file first at a stop',
    stateWith([member(1)], stopped()),
    ['write-farm 0'],
    ['release i-1'],
  ],
  [
    'ends at once when it keeps its slaves',
    stateWith([member(1)], stopped({ keepSlaves: true })),
    [],
    [],
    'slaves kept',
  ],
  [
    'terminates without a drain after a second signal',
    stateWith([member(1)], it => {
      stopped({ hurriedAt: NOW })(it);
      it.listed = [];
    }),
    ['terminate i-1'],
    ['release i-1', 'drain i-1'],
  ],
  [
    'removes group and template when no slave is left',
    stateWith([], it => {
      it.stop = { since: NOW - SECOND, keepSlaves: false };
    }),
    ['tidy'],
    [],
  ],
];

describe('a decision', () => {
  for (const [what, state, tasks, transitions, end] of ROWS) {
    it(what, () => {
      const before = structuredClone(state);
      const decision = decide(state, NOW);
      assert.deepEqual(decision.tasks.map(taskInWords), tasks);
      assert.deepEqual(decision.transitions.flatMap(transitionInWords), transitions);
      assert.equal(decision.end, end);
      assert.deepEqual(state, before, 'deciding changes nothing');
    });
  }

  it('that was made, and whose tasks run, is not made again', () => {
    for (const [what, state] of ROWS) {
      const first = decide(state, NOW);
      if (first.end !== undefined) continue;
      for (const transition of first.transitions) apply(state, transition);
      for (const task of first.tasks)
        state.running.add(task.kind === 'probe' ? `probe ${task.instanceId}` : task.kind);
      const again = decide(state, NOW);
      assert.deepEqual([again.tasks, again.transitions.flatMap(transitionInWords)], [[], []], what);
    }
  });
});
