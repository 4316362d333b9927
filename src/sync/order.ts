import type { Config } from '../config/config.ts';
import type { Site } from '../master/site.ts';

/** What a sync is asked to do. */
export type SyncOrder = {
  readonly config: Config;
  readonly site: Site;
  readonly region: string;
  readonly mysql?: string;
  readonly postgres?: string;
  /** How many sets of snapshots are kept. */
  readonly keep: number;
  readonly dryRun: boolean;
};
