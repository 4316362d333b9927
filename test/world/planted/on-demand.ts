import { MINUTE } from '../../../src/clock.ts';
import type { History } from '../history.ts';
import type { Planted } from './planted.ts';

/** Two slaves are wanted, at most one may run on demand, and spot has no capacity for half an hour. */
function dry(history: History): History {
  return {
    ...history,
    duration: 40 * MINUTE,
    neighbour: false,
    settings: {
      ...history.settings,
      table: [[1, 2, 4]],
      data: [],
      pollInterval: MINUTE / 2,
      releaseAfter: 'never',
      onDemand: 1,
    },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [{ at: 0, kind: 'no capacity', left: 0, duration: 30 * MINUTE }],
  };
}

export const ON_DEMAND: readonly Planted[] = [
  {
    bug: 'slaves on demand are bought at the first refusal',
    breaks: 15,
    provoked: dry,
    mutation: () => ({
      meddle(state) {
        if (state.spotOutage !== undefined && state.spotOutage.at - state.spotOutage.since < MINUTE)
          state.spotOutage = { ...state.spotOutage, since: state.spotOutage.at - 10 * MINUTE };
      },
    }),
  },
  {
    bug: 'slaves on demand are taken for spot slaves, so more and more are bought',
    breaks: 15,
    provoked: dry,
    mutation: () => ({
      meddle(state) {
        for (const [id, { slave, ...member }] of state.members) {
          const { onDemand: _, ...spot } = slave;
          state.members.set(id, { ...member, slave: spot });
        }
      },
    }),
  },
];
