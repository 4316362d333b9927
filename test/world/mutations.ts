import type { Instance } from '@aws-sdk/client-ec2';
import { MINUTE } from '../../src/clock.ts';
import type { Ec2, Ec2Action, Ec2Actions } from '../../src/ec2/api.ts';
import { isEc2Error, NO_ANSWER } from '../../src/ec2/errors.ts';
import { FRESH_PACE } from '../../src/policy/pacing.ts';
import { DRAINING_TAG } from '../../src/spot/tags.ts';
import type { History } from './history.ts';
import type { Number9 } from './invariants/invariant.ts';
import type { Mutation } from './mutation.ts';
import type { Trouble } from './troubles.ts';

/** A bug, the invariant that it breaks, and how it is planted. */
export type Planted = {
  readonly bug: string;
  readonly breaks: Number9;
  readonly mutation: Mutation;
  /** Where the bug shows but seldom: what happens in addition, so that a few seeds are enough. */
  readonly provoked?: (history: History) => History;
};

type Change = <A extends Ec2Action>(
  action: A,
  request: Ec2Actions[A][0],
  go: (request?: Ec2Actions[A][0]) => Promise<Ec2Actions[A][1]>,
) => Promise<Ec2Actions[A][1]>;

/** EC2 seen through glasses. */
function through(ec2: Ec2, change: Change): Ec2 {
  return (action, request, options) =>
    change(action, request, (other = request) => ec2(action, other, options));
}

/** EC2 that shows other instances than there are. */
function showing(ec2: Ec2, change: (instances: readonly Instance[]) => Instance[]): Ec2 {
  return through(ec2, async (_action, _request, go) => {
    const answer = await go();
    if (!isDescription(answer)) return answer;
    const all = (answer.Reservations ?? []).flatMap(it => it.Instances ?? []);
    return { ...answer, Reservations: [{ Instances: change(all) }] };
  });
}

function isDescription(answer: unknown): answer is Ec2Actions['DescribeInstances'][1] {
  return typeof answer === 'object' && answer !== null && 'Reservations' in answer;
}

/** Takes keys of a request away. */
function without<T extends object>(request: T, ...keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(request).filter(([key]) => !keys.includes(key))) as T;
}

/** Half of the answers to an action are lost. */
function lost(action: Ec2Action, duration: number): Trouble[] {
  return [
    {
      at: 0,
      kind: 'ec2 fails',
      actions: [action],
      code: NO_ANSWER,
      when: 'after',
      probability: 0.5,
      duration,
    },
  ];
}

/** The original's bugs, one by one (`original-in-practice`), and some that it has not. */
export const PLANTED: readonly Planted[] = [
  {
    bug: 'two more are launched than the table allows',
    breaks: 1,
    mutation: () => ({
      config: config => ({
        ...config,
        loadTable: config.loadTable.map(row => ({ ...row, min: row.min + 2, max: row.max + 2 })),
      }),
    }),
  },
  {
    bug: 'everything is forgotten at a restart, and a second set is launched',
    breaks: 1,
    mutation: ({ ec2 }, { run }) => {
      const foreign = new Set<string>();
      let first = run > 1;
      return {
        ec2: showing(ec2, instances => {
          for (const it of first ? instances : []) foreign.add(it.InstanceId ?? '');
          first = false;
          return instances.filter(it => !foreign.has(it.InstanceId ?? ''));
        }),
      };
    },
  },
  {
    bug: 'each try of a launch has a token of its own',
    breaks: 1,
    provoked: history => ({
      ...history,
      settings: { ...history.settings, table: [[1, 2, 2]] },
      load: [{ from: 0, requestsPerSecond: 3 }],
      troubles: lost('CreateFleet', history.duration),
    }),
    mutation: ({ ec2 }, { run }) => {
      let tries = 0;
      return {
        ec2: through(ec2, (action, request, go) => {
          if (action !== 'CreateFleet') return go();
          return go({
            ...without(request, 'TagSpecifications'),
            ...{ TagSpecifications: [], ClientToken: `${run} ${++tries}` },
          });
        }),
      };
    },
  },
  {
    bug: 'what EC2 showed a minute and a half ago is taken for what there is',
    breaks: 1,
    mutation: ({ ec2 }, { clock }) => {
      let seen: { readonly at: number; readonly answer: unknown } | undefined;
      return {
        ec2: through(ec2, async (action, _request, go) => {
          if (action !== 'DescribeInstances') return go();
          if (seen !== undefined && clock.monotonic() < seen.at + 1.5 * MINUTE)
            return seen.answer as Awaited<ReturnType<typeof go>>;
          const answer = await go();
          seen = { at: clock.monotonic(), answer };
          return answer;
        }),
        meddle(state) {
          state.expected.clear();
          state.launchNeedsSightAfter = 0;
          delete state.intent;
        },
      };
    },
  },
  {
    bug: 'a replacement is launched before EC2 knows that its predecessor leaves',
    breaks: 1,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, (action, request, go) =>
        // The tag is said to be there, and is not.
        action === 'CreateTags' ? Promise.resolve({} as Awaited<ReturnType<typeof go>>) : go(request),
      ),
    }),
  },
  {
    bug: 'tags come later than births',
    breaks: 2,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, (action, request, go) =>
        action === 'CreateFleet' ? go(without(request, 'TagSpecifications')) : go(),
      ),
    }),
  },
  {
    bug: 'the spot request is cancelled, and its instance forgotten',
    breaks: 2,
    mutation: ({ ec2 }) => {
      const forgotten = new Set<string>();
      return {
        ec2: showing(
          through(ec2, async (action, request, go) => {
            if (action !== 'TerminateInstances' || !('InstanceIds' in request)) return go();
            for (const id of request.InstanceIds ?? []) forgotten.add(id);
            return {} as Awaited<ReturnType<typeof go>>;
          }),
          instances => instances.filter(it => !forgotten.has(it.InstanceId ?? '')),
        ),
      };
    },
  },
  {
    bug: 'the security group is left behind',
    breaks: 2,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, (action, request, go) =>
        action === 'DeleteSecurityGroup'
          ? Promise.resolve({} as Awaited<ReturnType<typeof go>>)
          : go(request),
      ),
    }),
  },
  {
    bug: 'slaves that nobody contacts live for ever',
    breaks: 2,
    mutation: () => ({
      config: config => ({ ...config, slave: { ...config.slave, orphanTimeout: 10_000 * MINUTE } }),
    }),
  },
  {
    bug: 'whatever runs in the account is taken for a slave',
    breaks: 3,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, (action, request, go) =>
        go(action === 'DescribeInstances' ? without(request, 'Filters') : request),
      ),
    }),
  },
  {
    bug: 'groups and templates are deleted whosever they are',
    breaks: 3,
    mutation: ({ ec2 }) => ({
      ec2: through(ec2, (action, request, go) =>
        go(action === 'DescribeLaunchTemplates' ? without(request, 'Filters') : request),
      ),
    }),
  },
  {
    bug: 'slaves are terminated before the farm file is changed',
    breaks: 4,
    mutation: ({ farm, clock }) => ({
      edges: {
        farm: {
          ...farm,
          write: async urls => {
            void clock.sleep(10 * MINUTE).then(() => farm.write(urls));
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
            if (!served.has(address) && (await probe(address, ports))) served.add(address);
            return served.has(address);
          },
        },
      };
    },
  },
  {
    bug: 'a slave is listed as soon as it runs',
    breaks: 4,
    mutation: () => ({ edges: { probe: () => Promise.resolve(true) } }),
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
  {
    bug: 'launches give up after the first refusal',
    breaks: 6,
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
  {
    bug: 'nothing holds launches of a broken image back',
    breaks: 7,
    mutation: () => ({
      meddle(state) {
        state.pace = FRESH_PACE;
      },
    }),
  },
  {
    bug: 'a load that cannot be read is none',
    breaks: 8,
    mutation: ({ readStatus }, { clock }) => {
      let last = { totalAccesses: 0, serverUptimeSeconds: 0 };
      let at = 0;
      return {
        edges: {
          readStatus: async () => {
            try {
              last = await readStatus();
            } catch {
              const seconds = Math.round((clock.monotonic() - at) / 1000);
              last = { ...last, serverUptimeSeconds: last.serverUptimeSeconds + seconds };
            }
            at = clock.monotonic();
            return last;
          },
        },
      };
    },
  },
  {
    bug: 'the process dies of a 503',
    breaks: 9,
    mutation: ({ ec2 }, { exit }) => ({
      ec2: through(ec2, async (_action, _request, go) => {
        try {
          return await go();
        } catch (error) {
          if (isEc2Error(error) && error.httpStatus === 503) exit();
          throw error;
        }
      }),
    }),
  },
  {
    bug: 'a look at Apache has no time limit',
    breaks: 9,
    mutation: ({ readStatus }) => ({
      edges: { readStatus: () => readStatus().catch(() => new Promise<never>(() => {})) },
    }),
  },
  {
    bug: 'the loop runs hot',
    breaks: 9,
    mutation: ({ clock }) => ({
      edges: { clock: { ...clock, sleep: (ms, signal) => clock.sleep(Math.min(ms, 20), signal) } },
    }),
  },
  {
    bug: 'memory grows with every poll',
    breaks: 9,
    mutation: () => {
      let number = 0;
      return {
        meddle(state) {
          number += 1;
          if (number % 20 === 0) state.said.set(`note ${number}`, 'kept for ever');
        },
      };
    },
  },
];
