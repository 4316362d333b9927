import type { Member } from '../../../src/balancer/state.ts';
import { MINUTE } from '../../../src/clock.ts';
import type { Ec2Actions } from '../../../src/ec2/api.ts';
import type { History } from '../history.ts';
import { through } from './glasses.ts';
import type { Planted } from './planted.ts';

/** Two slaves for an hour, with a balancer that keeps its history, and is killed twice. */
function remembered(history: History): History {
  const { budget: _, ...settings } = history.settings;
  return {
    ...history,
    duration: 60 * MINUTE,
    neighbour: false,
    settings: { ...settings, table: [[1, 2, 2]], data: [], pollInterval: MINUTE / 2 },
    load: [{ from: 0, requestsPerSecond: 3 }],
    brokenBoots: 0,
    troubles: [20, 40].map(minute => ({ at: minute * MINUTE, kind: 'killed', downtime: 500 })),
    book: true,
  };
}

function isPriceHistory(answer: unknown): answer is Ec2Actions['DescribeSpotPriceHistory'][1] {
  return typeof answer === 'object' && answer !== null && 'SpotPriceHistory' in answer;
}

/** A history that tells something else than what was. */
export const HISTORY: readonly Planted[] = [
  {
    bug: 'the history knows of all slaves but one',
    breaks: 16,
    provoked: remembered,
    mutation: ({ observe }) => ({
      edges: {
        observe: (state, now) => observe?.({ ...state, members: new Map([...state.members].slice(1)) }, now),
      },
    }),
  },
  {
    bug: 'the history goes on counting slaves that have ended',
    breaks: 16,
    provoked: history => ({
      ...remembered(history),
      load: [
        { from: 0, requestsPerSecond: 3 },
        { from: 10 * MINUTE, requestsPerSecond: 0 },
      ],
      troubles: [],
    }),
    mutation: ({ observe }) => {
      const ever = new Map<string, Member>();
      return {
        edges: {
          observe(state, now) {
            for (const [id, member] of state.members) ever.set(id, member);
            observe?.({ ...state, members: ever }, now);
          },
        },
      };
    },
  },
  {
    bug: 'prices are read as half of what they are',
    breaks: 16,
    provoked: remembered,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, async (_action, _request, go) => {
        const answer = await go();
        if (!isPriceHistory(answer)) return answer;
        const half = answer.SpotPriceHistory?.map(it => ({
          ...it,
          SpotPrice: `${Number(it.SpotPrice) / 2}`,
        }));
        return { ...answer, SpotPriceHistory: half };
      }),
    }),
  },
  {
    bug: 'the history counts no launch of its own',
    breaks: 16,
    provoked: remembered,
    mutation: ({ observe }) => ({
      edges: { observe: (state, now) => observe?.({ ...state, runId: 'another' }, now) },
    }),
  },
  {
    bug: 'each start counts the launches of its predecessor again',
    breaks: 16,
    provoked: remembered,
    mutation: ({ observe }, { run }) => ({
      edges: {
        observe(state, now) {
          const members = [...state.members].map(([id, it]) => {
            const slave = { ...it.slave, instanceId: `${id}-${run}`, launchToken: state.runId };
            return [id, { ...it, slave }] as const;
          });
          observe?.({ ...state, members: new Map(members) }, now);
        },
      },
    }),
  },
];
