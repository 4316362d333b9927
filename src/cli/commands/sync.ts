import { sync as syncData } from '../../sync/sync.ts';
import type { Given } from '../given.ts';
import { runStaging } from '../staging.ts';

/**
 * `gbrowse-aws-balancer sync`: copies the master's data into EBS snapshots (the manual, "the sync script").
 *
 * @returns the exit status
 */
export async function sync(given: Given<'sync'>): Promise<number> {
  return await runStaging('sync', given, ({ config, site }, region, tools) =>
    syncData({ ...given, config, site, region }, tools),
  );
}
