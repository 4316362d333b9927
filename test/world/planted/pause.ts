import { MINUTE } from '../../../src/clock.ts';
import type { History } from '../history.ts';
import type { Planted } from './planted.ts';

/** Two slaves at a constant load; two pauses, over a restart each: one that keeps the slaves, one that releases them. */
function paused(history: History): History {
  return {
    ...history,
    duration: 60 * MINUTE,
    neighbour: false,
    settings: {
      table: [[1, 2, 2]],
      pollInterval: MINUTE / 2,
      drainTime: MINUTE,
      bootTimeout: 5 * MINUTE,
      orphanTimeout: 60 * MINUTE,
      instanceTypes: ['m5.large'],
      ports: [8101],
    },
    load: [
      { from: 0, requestsPerSecond: 3 },
      { from: 15 * MINUTE, requestsPerSecond: 0 },
      { from: 20 * MINUTE, requestsPerSecond: 3 },
    ],
    brokenBoots: 0,
    troubles: [
      { at: 10 * MINUTE, kind: 'paused', release: false, length: 15 * MINUTE },
      { at: 12 * MINUTE, kind: 'killed', downtime: 5000 },
      { at: 35 * MINUTE, kind: 'paused', release: true },
      { at: 40 * MINUTE, kind: 'stopped', how: 'keeping slaves', downtime: 5000 },
      { at: 50 * MINUTE, kind: 'resumed' },
    ],
  };
}

/** A pause that is none. */
export const PAUSE: readonly Planted[] = [
  {
    bug: 'a start forgets the pause',
    breaks: 14,
    provoked: paused,
    mutation: (_edges, { run }) => ({
      meddle(state) {
        if (run > 1) delete state.pause;
      },
    }),
  },
  {
    bug: 'a paused balancer leaves its slaves in the farm file',
    breaks: 14,
    provoked: paused,
    mutation: ({ farm }) => {
      let last: readonly string[] = [];
      return {
        edges: {
          farm: {
            ...farm,
            write: async urls => {
              if (urls.length > 0) last = urls;
              await farm.write(last);
            },
          },
        },
      };
    },
  },
  {
    bug: 'a pause never ends by itself',
    breaks: 14,
    provoked: paused,
    mutation: () => {
      let first: object | undefined;
      return {
        meddle(state) {
          first ??= state.pause;
          if (first !== undefined && state.pause === undefined) Object.assign(state, { pause: first });
        },
      };
    },
  },
  {
    bug: 'slaves stay where a pause is to release them',
    breaks: 14,
    provoked: paused,
    mutation: () => ({
      meddle(state) {
        if (state.pause?.release === true) state.pause = { ...state.pause, release: false };
      },
    }),
  },
  {
    bug: 'a paused balancer launches, and releases by the load',
    breaks: 14,
    provoked: paused,
    mutation: () => ({
      meddle(state) {
        delete state.pause;
      },
    }),
  },
];
