import type { Config } from '../config/config.ts';

/** The parts of a configuration that decide how many slaves there are at each time. */
export type Settings = {
  readonly loadTable: Config['loadTable'];
  readonly master: Pick<Config['master'], 'pollInterval' | 'drainTime'> &
    Partial<Pick<Config['master'], 'releaseAfter' | 'overload'>>;
  readonly slave: Pick<Config['slave'], 'spotBid' | 'bootTimeout' | 'budget'>;
};
