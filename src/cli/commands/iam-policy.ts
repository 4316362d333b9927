import { policyCommands } from '../../iam/commands.ts';
import { policyFor, policyText } from '../../iam/policy.ts';
import { loadMaster } from '../../master/load.ts';
import { readMetadata } from '../../master/metadata.ts';
import { regionOf } from '../connect.ts';
import type { Given } from '../given.ts';

/**
 * `gbrowse-aws-balancer iam-policy`: prints the least that AWS must allow for this configuration. Needs no credentials,
 * and calls nothing but the metadata service of an EC2 instance, for the master's name and region.
 *
 * @returns the exit status
 */
export async function iamPolicy(given: Given<'iam-policy'>): Promise<number> {
  const { config, warnings, site } = await loadMaster(given, { image: false });
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  const region = await regionOf(config.file, site);
  const { sync, image } = given;
  const text = policyText(policyFor({ ...config.slave, master: site.name, region, sync, image }));
  process.stdout.write(given.commands ? await commandsFor(text, site.name, region) : text);
  return 0;
}

async function commandsFor(policy: string, master: string, region: string): Promise<string> {
  const instanceId = (await readMetadata(process.env))?.instanceId;
  return policyCommands(policy, { master, region, ...(instanceId !== undefined && { instanceId }) });
}
