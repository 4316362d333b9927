import { messageOf, systemCode } from '../../errors.ts';
import { isNotChecked, ok, problem } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The region, and whether its EC2 can be reached from here. */
export const region: Topic = {
  name: 'region',
  async check(world) {
    const name = await world.region().catch(error => {
      if (isNotChecked(error) && /no region is known/.test(error.message)) return undefined;
      throw error;
    });
    if (name === undefined) {
      return [
        problem(
          'No region is set, and this machine is not an EC2 instance that could supply it.',
          `In ${await world.place('SLAVE', 'region')}:\n    region = us-west-2`,
        ),
      ];
    }
    const url = await world.endpoint();
    try {
      await world.edges.fetchDate(url.href, world.signal);
      return [ok(`${name}; EC2 answers at ${url.host}.`)];
    } catch (error) {
      if (world.signal.aborted) throw error;
      return [
        problem(
          `${url.host} cannot be reached: ${why(error, world.edges.env)}.`,
          `Check the spelling of the region (${await world.place('SLAVE', 'region')}), and that this machine can reach the internet. HTTPS_PROXY names a proxy.`,
        ),
      ];
    }
  },
};

function why(error: unknown, env: NodeJS.ProcessEnv): string {
  const code = systemCode(error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name does not resolve';
    case 'ECONNREFUSED':
      return env.HTTPS_PROXY === undefined
        ? 'connection refused'
        : 'connection refused, possibly by HTTPS_PROXY';
    case undefined:
      return messageOf(error);
    default:
      return code;
  }
}
