import { apply } from '../../../src/balancer/apply.ts';
import { outOfDate } from '../../../src/balancer/members.ts';
import type { State } from '../../../src/balancer/state.ts';
import { MINUTE } from '../../../src/clock.ts';
import { DATA_TAG } from '../../../src/spot/tags.ts';
import type { History } from '../history.ts';
import { BROKEN, GOOD } from '../snapshots.ts';
import { showing } from './glasses.ts';
import type { Planted } from './planted.ts';

/** A farm of three with old data, which is renewed three times, the last time with data that do not boot. */
function renewals(history: History): History {
  return {
    ...history,
    settings: {
      ...history.settings,
      table: [
        [1, 3, 3],
        [50, 3, 6],
      ],
      pollInterval: MINUTE / 2,
      data: [GOOD[3]],
    },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [
      { at: 15 * MINUTE, kind: 'new data', snapshots: [GOOD[1]] },
      { at: 30 * MINUTE, kind: 'new data', snapshots: [GOOD[2]] },
      { at: 45 * MINUTE, kind: 'new data', snapshots: [BROKEN[0]] },
    ],
  };
}

function outdated(state: State): readonly string[] {
  const old = [...state.members.values()].filter(it => outOfDate(state, it.slave) !== undefined);
  return state.lastRate === undefined
    ? []
    : old.filter(it => it.leaving === undefined).map(it => it.slave.instanceId);
}

/** New data that do not reach the slaves, or reach them at the cost of the farm. */
export const INSTANCE_REFRESH: readonly Planted[] = [
  {
    bug: 'all slaves with old data are released at once',
    breaks: 10,
    provoked: renewals,
    mutation: () => ({
      meddle(state) {
        for (const id of outdated(state))
          apply(state, { kind: 'release', instanceId: id, reason: 'its data are out of date' });
      },
    }),
  },
  {
    bug: 'an old slave is released before its successor serves',
    breaks: 10,
    provoked: renewals,
    mutation: () => ({
      meddle(state) {
        const [first] = outdated(state);
        const isAnyLeaving = [...state.members.values()].some(it => it.leaving !== undefined);
        if (first !== undefined && !isAnyLeaving)
          apply(state, { kind: 'release', instanceId: first, reason: 'its data are out of date' });
      },
    }),
  },
  {
    bug: 'data that do not boot wear a farm down that could do with less',
    breaks: 10,
    provoked(history) {
      const three = renewals(history);
      return {
        ...three,
        settings: {
          ...three.settings,
          table: [
            [1, 0, 3],
            [50, 3, 6],
          ],
        },
        load: [
          { from: 0, requestsPerSecond: 60 },
          { from: 40 * MINUTE, requestsPerSecond: 3 },
        ],
      };
    },
    mutation: (_edges, { clock }) => {
      let next = 46 * MINUTE;
      return {
        meddle(state) {
          const [first] = outdated(state);
          if (first === undefined || clock.monotonic() < next) return;
          next = clock.monotonic() + 4 * MINUTE;
          apply(state, { kind: 'release', instanceId: first, reason: 'its data are out of date' });
        },
      };
    },
  },
  {
    bug: 'a slave that was launched with old data counts as new',
    breaks: 10,
    provoked: renewals,
    mutation: ({ ec2 }) => {
      let wanted = '';
      return {
        config(config) {
          wanted = config.slave.dataSnapshots.join(' ');
          return config;
        },
        ec2: showing(ec2, instances =>
          instances.map(it => ({
            ...it,
            Tags: [...(it.Tags ?? []).filter(tag => tag.Key !== DATA_TAG), { Key: DATA_TAG, Value: wanted }],
          })),
        ),
      };
    },
  },
];
