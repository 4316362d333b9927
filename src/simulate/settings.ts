import type { Config } from '../config/config.ts';

/** What of a configuration decides how many slaves there are when. */
export type Settings = {
  readonly loadTable: Config['loadTable'];
  readonly master: Pick<Config['master'], 'pollInterval' | 'drainTime'> &
    Partial<Pick<Config['master'], 'releaseAfter' | 'overload'>>;
  readonly slave: Pick<Config['slave'], 'spotBid' | 'bootTimeout'>;
};
