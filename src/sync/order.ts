import type { Config } from '../config/config.ts';
import type { Site } from '../master/site.ts';

/** The options of a sync. */
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
