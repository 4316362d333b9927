import { MINUTE } from '../../../src/clock.ts';
import type { History } from '../history.ts';
import { through } from './glasses.ts';
import type { Planted } from './planted.ts';

/** Slaves are needed all the time, and the first launches are refused. */
function refusedAtFirst(history: History): History {
  return {
    ...history,
    settings: { ...history.settings, table: [[1, 1, 2]], data: [] },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [
      {
        at: 0,
        kind: 'ec2 fails',
        actions: ['CreateFleet'],
        code: 'InternalError',
        when: 'before',
        probability: 1,
        duration: 5 * MINUTE,
      },
    ],
  };
}

/** A fleet that does not come to rest. */
export const SETTLING: readonly Planted[] = [
  {
    bug: 'launches give up after the first refusal',
    breaks: 6,
    provoked: refusedAtFirst,
    mutation: ({ ec2 }) => {
      let refused = false;
      return {
        ec2: through(ec2, async (action, _request, go) => {
          if (action !== 'CreateFleet') return go();
          if (refused) return { Instances: [], Errors: [] };
          try {
            return await go();
          } catch (error) {
            refused = true;
            throw error;
          }
        }),
      };
    },
  },
  {
    bug: 'launch and release in turn',
    breaks: 6,
    mutation: (_edges, { clock }) => ({
      meddle(state) {
        const wave = Math.floor(clock.monotonic() / (7 * MINUTE)) % 2 === 0 ? 0 : 20;
        if (state.load.rate === undefined) return;
        state.load = { ...state.load, rate: wave };
        state.lastRate = wave;
      },
    }),
  },
];
