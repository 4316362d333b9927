import { MINUTE } from '../../../src/clock.ts';
import { NO_BACKOFF } from '../../../src/policy/backoff.ts';
import { lost, showing, through, without } from './glasses.ts';
import type { Planted } from './planted.ts';

/** Too many slaves, and too many launches. */
export const NUMBERS: readonly Planted[] = [
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
          state.instancesInFlight.clear();
          state.launchNeedsAnswerAfter = 0;
          delete state.launchInFlight;
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
    bug: 'nothing holds launches of a broken image back',
    breaks: 7,
    mutation: () => ({
      meddle(state) {
        state.backoff = NO_BACKOFF;
      },
    }),
  },
];
