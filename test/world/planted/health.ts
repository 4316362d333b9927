import { isEc2Error } from '../../../src/ec2/errors.ts';
import { isPage, type StatusPage } from '../../../src/load/reading.ts';
import { through } from './glasses.ts';
import type { Planted } from './planted.ts';

/** An unknown load, and a process that is not well. */
export const HEALTH: readonly Planted[] = [
  {
    bug: 'a load that cannot be read is none',
    breaks: 8,
    mutation: ({ readStatus }, { clock }) => {
      let last: StatusPage = { totalAccesses: 0, serverUptimeSeconds: 0 };
      let at = 0;
      return {
        edges: {
          readStatus: async () => {
            try {
              const reading = await readStatus();
              if (isPage(reading)) last = reading;
            } catch {
              const seconds = Math.round((clock.monotonic() - at) / 1000);
              last = {
                ...last,
                // A page that does not count the request for itself is not believed.
                totalAccesses: last.totalAccesses + 1,
                serverUptimeSeconds: last.serverUptimeSeconds + seconds,
              };
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
