import { lookUpAccount } from '../../daemon/privileges.ts';
import { usageError } from '../../errors.ts';
import { installFarm, uninstallFarm } from '../../farm/install.ts';
import { loadMaster } from '../../master/load.ts';
import type { Given } from '../given.ts';

/**
 * `gbrowse-aws-balancer farm --install|--remove`: writes into GBrowse's farm file what `farm = live` needs, or takes it out.
 *
 * @returns the exit status
 */
export async function farm(given: Given<'farm'>): Promise<number> {
  if (given.install === given.remove) throw usageError('farm: give either --install or --remove');
  const { config } = await loadMaster(given, { image: false });
  const account = given.user === undefined ? undefined : await lookUpAccount(given.user);
  if (given.install && config.master.farm !== 'live') {
    throw usageError(
      `${config.file} does not say "farm = live" in [MASTER], so the balancer lists its slaves in renderfarm.conf itself`,
    );
  }
  const { done, warnings } = given.install
    ? await installFarm(config.master, account)
    : await uninstallFarm(config.master);
  for (const sentence of done.length > 0 ? done : ['Nothing had to be changed'])
    process.stdout.write(`${sentence}.\n`);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  return warnings.length > 0 ? 1 : 0;
}
