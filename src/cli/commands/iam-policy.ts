import { hostname } from 'node:os';
import { loadConfig } from '../../config/load.ts';
import { findConfigFile } from '../../config/locate.ts';
import { policyFor, policyText } from '../../iam/policy.ts';
import { readMetadata } from '../../master/metadata.ts';
import { siteOf } from '../../master/site.ts';
import { regionOf } from '../connect.ts';
import type { GivenOptions } from '../main.ts';

/**
 * `gbrowse-aws-balancer iam-policy`: the least that AWS must allow for this configuration, on standard output. Needs no
 * credentials, and calls nothing but the metadata service of an EC2 instance, for the master's name and region.
 *
 * @returns the exit status
 */
export async function iamPolicy(given: GivenOptions): Promise<number> {
  const { config, warnings } = await loadConfig(
    typeof given.conf === 'string' ? given.conf : await findConfigFile(),
  );
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  const site = siteOf(config, await readMetadata(process.env), hostname());
  const { securityGroup, subnet } = config.slave;
  const sshKey = typeof given.ssh_key === 'string' ? given.ssh_key : config.slave.sshKey;
  const policy = policyFor({
    master: site.name,
    region: await regionOf(config.file, site),
    sync: given.sync === true,
    ...(securityGroup !== undefined && { securityGroup }),
    ...(subnet !== undefined && { subnet }),
    ...(sshKey !== undefined && { sshKey }),
  });
  process.stdout.write(policyText(policy));
  return 0;
}
