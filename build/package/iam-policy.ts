import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfig } from '../../src/config/load.ts';
import { policyFor, policyText } from '../../src/iam/policy.ts';

const CONF = path.resolve(import.meta.dirname, '../../packaging/aws_balancer.conf');

/**
 * What `iam-policy --sync --image` prints for a master of the name `MASTER`, which has to be replaced, as has the region
 * outside of us-west-2, and the instance types where they are not those of the package's configuration.
 */
export function exampleIamPolicy(region = 'us-west-2'): string {
  const { config, problems } = parseConfig(CONF, readFileSync(CONF, 'utf8'));
  if (config === undefined) throw new Error(problems.join('\n'));
  return policyText(policyFor({ ...config.slave, master: 'MASTER', region, sync: true, image: true }));
}
