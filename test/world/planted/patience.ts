import { MINUTE } from '../../../src/clock.ts';
import type { History } from '../history.ts';
import type { Planted } from './planted.ts';

/** A constant load, at which one slave serves that hangs for a minute now and then. */
function hangs(history: History): History {
  return {
    ...history,
    settings: { ...history.settings, table: [[1, 1, 1]], data: [], pollInterval: MINUTE / 2 },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [10, 20, 30, 40].map(minute => ({
      at: minute * MINUTE,
      kind: 'slave behaves',
      which: 0,
      how: 'hangs',
      duration: MINUTE,
    })),
  };
}

/** A constant load and nothing else, with `release_after = auto`. */
function constant(history: History): History {
  return {
    ...history,
    settings: {
      ...history.settings,
      table: [
        [1, 1, 4],
        [10, 3, 4],
      ],
      data: [],
      pollInterval: MINUTE / 2,
      releaseAfter: 'auto',
    },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [],
  };
}

/** A slave that is given up too soon, and one that is released too soon. */
export const PATIENCE: readonly Planted[] = [
  {
    bug: 'a busy slave counts as dead',
    breaks: 11,
    provoked: hangs,
    mutation: ({ probe }) => ({
      edges: {
        probe: async (...asked) => {
          const answer = await probe(...asked);
          return answer === 'silent' ? 'refused' : answer;
        },
      },
    }),
  },
  {
    bug: 'the keep time is forgotten, and chance moves a row',
    breaks: 12,
    provoked: constant,
    mutation: (_edges, { clock }) => ({
      meddle(state) {
        state.lastWanted = [];
        if (state.lastRate !== undefined)
          state.lastRate = Math.floor(clock.monotonic() / (4 * MINUTE)) % 2 === 0 ? 3 : 12;
      },
    }),
  },
];
