import { lookUpAccount } from '../../daemon/privileges.ts';
import { isUserError } from '../../errors.ts';
import { type Finding, ok, problem } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** The user that the daemon becomes: `--user`, else the service's. */
export const user: Topic = {
  name: 'user',
  async check(world) {
    const own = world.options.user;
    const name = own ?? (await world.service())?.USER;
    if (name === undefined) return [];
    const source = own === undefined ? `USER in ${world.edges.settingsFile}` : '--user';
    return [await exists(name, source)];
  },
};

async function exists(name: string, source: string): Promise<Finding> {
  try {
    const { uid } = await lookUpAccount(name);
    return ok(`The balancer becomes ${name} (${source}), user id ${uid}.`);
  } catch (error) {
    if (!isUserError(error) || error.exitStatus !== 2) throw error;
    return problem(
      `There is no user ${name} (${source}).`,
      `    adduser --system --group --home /var/lib/gbrowse-aws-balancer --no-create-home ${name}`,
    );
  }
}
