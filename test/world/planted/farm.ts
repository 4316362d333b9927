import { MINUTE } from '../../../src/clock.ts';
import { DRAINING_TAG } from '../../../src/spot/tags.ts';
import { showing } from './glasses.ts';
import type { Planted } from './planted.ts';

/** A farm file that lies, and slaves that end before their time. */
export const FARM: readonly Planted[] = [
  {
    bug: 'slaves are terminated before the farm file is changed',
    breaks: 4,
    mutation: ({ farm, clock }) => ({
      edges: {
        farm: {
          ...farm,
          write: async urls => {
            void clock
              .sleep(10 * MINUTE)
              .then(() => farm.write(urls))
              .catch(() => {});
          },
          read: () => Promise.reject(new Error('later')),
        },
      },
    }),
  },
  {
    bug: 'serving slaves are never probed',
    breaks: 4,
    mutation: ({ probe }) => {
      const served = new Set<string>();
      return {
        edges: {
          probe: async (address, ports) => {
            if (served.has(address)) return 'answered';
            const answer = await probe(address, ports);
            if (answer === 'answered') served.add(address);
            return answer;
          },
        },
      };
    },
  },
  {
    bug: 'a slave is listed as soon as it runs',
    breaks: 4,
    mutation: () => ({ edges: { probe: () => Promise.resolve('answered') } }),
  },
  {
    bug: 'the farm file lists what there was before',
    breaks: 4,
    mutation: ({ farm }) => {
      let before: readonly string[] = [];
      return {
        edges: {
          farm: {
            ...farm,
            read: async () => before,
            write: async urls => {
              await farm.write([...new Set([...before, ...urls])]);
              before = urls;
            },
          },
        },
      };
    },
  },
  {
    bug: 'there is no drain',
    breaks: 5,
    mutation: () => ({ config: config => ({ ...config, master: { ...config.master, drainTime: 0 } }) }),
  },
  {
    bug: 'a successor takes a drain for over',
    breaks: 5,
    provoked: history => ({
      ...history,
      settings: { ...history.settings, drainTime: 5 * MINUTE, pollInterval: MINUTE / 2 },
      load: Array.from({ length: 10 }, (_, step) => ({
        from: 6 * step * MINUTE,
        requestsPerSecond: step % 2 === 0 ? 7 : 0,
      })),
      troubles: Array.from({ length: 28 }, (_, kill) => ({
        at: 2 * (kill + 1) * MINUTE,
        kind: 'killed' as const,
        downtime: 0,
      })),
    }),
    mutation: ({ ec2 }) => ({
      ec2: showing(ec2, instances =>
        instances.map(it => ({
          ...it,
          Tags:
            it.Tags?.map(tag =>
              tag.Key === DRAINING_TAG ? { ...tag, Value: '2001-01-01T00:00:00Z' } : tag,
            ) ?? [],
        })),
      ),
    }),
  },
];
