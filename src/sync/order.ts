import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import type { Site } from '../master/site.ts';
import type { Report } from '../staging/report.ts';

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

/** What it works with. */
export type SyncTools = {
  /** One attempt a call. */
  readonly ec2: Ec2;
  readonly clock: Clock;
  readonly report: Report;
  /** Aborts when somebody wants it to end. */
  readonly signal: AbortSignal;
  /** The master's address as EC2 sees it, where nothing else says it. */
  findAddress(): Promise<string>;
};
