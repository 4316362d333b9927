import { NOTHING_SPENT } from '../../../src/budget/ledger.ts';
import { HOUR, MINUTE } from '../../../src/clock.ts';
import type { History } from '../history.ts';
import { GOOD } from '../snapshots.ts';
import type { Planted } from './planted.ts';

/** Two slaves at a constant load use the budget up within the hour, while the balancer is killed every ten minutes. */
function poor(history: History): History {
  return {
    ...history,
    duration: 70 * MINUTE,
    neighbour: false,
    settings: { ...history.settings, table: [[1, 2, 2]], data: [], pollInterval: MINUTE / 2, budget: 0.02 },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [10, 20, 30, 40, 50].map(minute => ({ at: minute * MINUTE, kind: 'killed', downtime: 500 })),
  };
}

let answers = 0;

export const BUDGET: readonly Planted[] = [
  {
    bug: 'a start forgets what was spent, and that the budget was used up',
    breaks: 13,
    provoked: poor,
    mutation: () => {
      let isNew = true;
      return {
        meddle(state) {
          if (!isNew || state.spending === undefined) return;
          isNew = false;
          state.spending = { ...state.spending, ledger: NOTHING_SPENT, since: Number.MAX_SAFE_INTEGER };
        },
      };
    },
  },
  {
    bug: 'spot prices are taken for nothing',
    breaks: 13,
    provoked: poor,
    mutation: () => ({
      edges: { prices: { of: () => 0, peak: () => 0, answers: () => answers++ } },
    }),
  },
  {
    bug: 'the volumes of slaves are taken for nothing',
    breaks: 13,
    provoked(history) {
      const { settings, ...rest } = poor(history);
      return {
        ...rest,
        duration: 3 * HOUR,
        settings: { ...settings, data: [GOOD[0]], budget: 0.3 },
        troubles: [],
      };
    },
    mutation: () => ({
      meddle(state) {
        const { spending } = state;
        const { volumes } = spending?.ledger ?? {};
        if (spending === undefined || volumes === undefined) return;
        const free = Object.fromEntries(Object.keys(volumes).map(key => [key, 0]));
        state.spending = { ...spending, ledger: { ...spending.ledger, volumes: free } };
      },
    }),
  },
  {
    bug: 'the budget is not held',
    breaks: 13,
    provoked: poor,
    mutation: () => ({
      config({ slave: { budget: _, ...slave }, ...config }) {
        return { ...config, slave };
      },
    }),
  },
];
