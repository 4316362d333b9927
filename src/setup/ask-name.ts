import type { Ec2 } from '../ec2/api.ts';
import { isDenied, unless } from '../ec2/errors.ts';
import { isCommonName } from '../master/site.ts';
import { describeSlaves } from '../spot/describe-slaves.ts';
import { isLive } from '../spot/slave.ts';
import { refuseAs } from './refuse.ts';
import type { SetupTools } from './tools.ts';

/**
 * The name of a master outside EC2 that is set up for the first time. Without one it has the host name, which another
 * machine of the account may have too; then each would take the other's slaves for its own. So there is a question only
 * where that is likely: many machines have the name, or slaves of this name are alive already.
 *
 * @param ec2 undefined where the account is not known
 * @returns undefined where the host name will do
 */
export async function askForName(
  given: string | undefined,
  ec2: Ec2 | undefined,
  { ask, say, hostName }: SetupTools,
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const alive = ec2 === undefined ? 0 : await countSlaves(ec2, hostName);
  if (alive === 0 && !isCommonName(hostName)) return undefined;
  say(
    alive > 0
      ? `Name: "${hostName}", the host name, already has ${alive} ${alive === 1 ? 'slave' : 'slaves'} in this account. Keep it only if this machine had a balancer before; if they are another machine's, choose another name.`
      : `Name: "${hostName}" is a common host name. Two masters of one name in an account would take each other's slaves for their own.`,
  );
  return await ask.text('The name by which this master owns its slaves', alive > 0 ? undefined : hostName, {
    option: '--name',
    refuse: refuseAs('MASTER', 'name'),
  });
}

async function countSlaves(ec2: Ec2, name: string): Promise<number> {
  const slaves = await unless(isDenied, describeSlaves(ec2, name, 'public'));
  return slaves?.filter(isLive).length ?? 0;
}
