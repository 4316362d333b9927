import { type PolicyHolder, policyCommands } from '../../iam/commands.ts';
import { LONGEST_POLICY, policyFor, policyText } from '../../iam/policy.ts';
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
  const { sync, image, kmsKey } = given;
  const key = kmsKey === undefined ? {} : { kmsKey };
  const policy = policyFor({ ...config.slave, master: site.name, region, sync, image, ...key });
  const text = policyText(policy);
  const length = JSON.stringify(policy).length;
  if (length > LONGEST_POLICY) {
    process.stderr.write(
      `this policy has ${length} characters, and IAM takes ${LONGEST_POLICY} of a managed one; choose a shorter [MASTER] name\n`,
    );
  }
  process.stdout.write(
    given.commands ? await commandsFor(text, { master: site.name, region, ...key }) : text,
  );
  return 0;
}

async function commandsFor(policy: string, holder: PolicyHolder): Promise<string> {
  const { instanceId, role } = (await readMetadata(process.env)) ?? {};
  return policyCommands(policy, {
    ...holder,
    ...(instanceId !== undefined && { instanceId }),
    ...(role !== undefined && { role }),
  });
}
