import { policyFor, policyText } from '../../src/iam/policy.ts';

/**
 * What `iam-policy --sync --image` prints for a master of the name `MASTER`, which has to be replaced, as has the region
 * outside of us-west-2.
 */
export function exampleIamPolicy(region = 'us-west-2'): string {
  return policyText(policyFor({ master: 'MASTER', region, sync: true, image: true }));
}
