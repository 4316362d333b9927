/** One row of `[LOAD TABLE]`: from `requestsPerSecond` on, at least `min` and at most `max` slaves. */
export type LoadRow = {
  readonly requestsPerSecond: number;
  readonly min: number;
  readonly max: number;
};

/** The load table, sorted by `requestsPerSecond`; never empty. */
export type LoadTable = readonly LoadRow[];

/** `[MASTER]`. Durations are in milliseconds whatever unit the file has. */
export type MasterConfig = {
  readonly externalIp?: string;
  readonly pollInterval: number;
  readonly serverStatusUrl: string;
  /** Counts the lines of this access log … */
  readonly loadLog?: string;
  /** … whose request line matches this. */
  readonly loadMatch?: RegExp;
  readonly name?: string;
  readonly renderfarmConf?: string;
  /** How GBrowse learns about slaves: from its farm file, or by reading the balancer's list. */
  readonly farm: 'file' | 'live';
  /** The path of the list for `live`. */
  readonly farmList: string;
  /** The directory of what the balancer remembers across restarts. */
  readonly stateDirectory: string;
  /** `auto`, `none`, or a command line for the shell. */
  readonly reloadCommand: string;
  readonly drainTime: number;
  /** What an overloaded Apache means: one more row of the load table with every poll, or nothing. */
  readonly overload: 'climb' | 'ignore';
  /** How long a slave that `min` no longer asks for is kept: as long as `max` allows, four boots and drains, or ms. */
  readonly releaseAfter: 'never' | 'auto' | number;
  /** A command line for the shell that is told of troubles. */
  readonly notify?: string;
  /** The directories that `sync` copies. */
  readonly databases?: readonly string[];
};

/** `[SLAVE]`. Durations are in milliseconds, the bid in US dollars an hour. */
export type SlaveConfig = {
  readonly instanceTypes: readonly string[];
  readonly spotBid: number;
  /** US dollars a calendar month (UTC). */
  readonly budget?: number;
  /** How many slaves of `min` may run on demand while spot has no capacity. */
  readonly onDemand: number;
  readonly ports: readonly number[];
  readonly region?: string;
  /** An AMI's id, or its name or a part of it. */
  readonly imageId?: string;
  readonly imageOwners: readonly string[];
  readonly dataSnapshots: readonly string[];
  readonly availabilityZone?: string;
  readonly subnet?: string;
  readonly securityGroup?: string;
  readonly bootTimeout: number;
  readonly orphanTimeout: number;
  readonly sshKey?: string;
  readonly sshUser: string;
};

/** A valid configuration, as the rest of the program sees it. */
export type Config = {
  /** The path of the file. */
  readonly file: string;
  readonly loadTable: LoadTable;
  readonly master: MasterConfig;
  readonly slave: SlaveConfig;
};
