import { MINUTE } from '../../../src/clock.ts';
import { showing, through, without } from './glasses.ts';
import type { Planted } from './planted.ts';

/** What is ours and is left behind, and what is not ours. */
export const OWNERSHIP: readonly Planted[] = [
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
];
