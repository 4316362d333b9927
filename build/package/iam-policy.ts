import { loadConfig } from '../../src/config/load.ts';
import { policyFor, policyText } from '../../src/iam/policy.ts';

/**
 * What `iam-policy --sync --image` prints for a configuration on a master of the name `MASTER`, which has to be replaced.
 *
 * @throws {Error} for a configuration that names no region
 */
export async function exampleIamPolicy(configFile: string): Promise<string> {
  const { region } = (await loadConfig(configFile)).config.slave;
  if (region === undefined) throw new Error(`${configFile} names no region`);
  return policyText(policyFor({ master: 'MASTER', region, sync: true, image: true }));
}
