import type { Config } from '../config/config.ts';
import { onDemandPrice } from '../spot/list-prices.ts';

/** What a slave costs on demand, dollars an hour: of the types, the cheapest. Undefined where no price is known. */
export function onDemandPriceIn({ slave }: Settings): number | undefined {
  const prices = (slave.instanceTypes ?? []).flatMap(type => onDemandPrice(type, slave.region) ?? []);
  return prices.length === 0 ? undefined : Math.min(...prices);
}

/** The parts of a configuration that decide how many slaves there are at each time. */
export type Settings = {
  readonly loadTable: Config['loadTable'];
  readonly master: Pick<Config['master'], 'pollInterval' | 'drainTime'> &
    Partial<Pick<Config['master'], 'releaseAfter' | 'overload'>>;
  readonly slave: Pick<Config['slave'], 'spotBid' | 'bootTimeout' | 'budget'> &
    Partial<Pick<Config['slave'], 'onDemand' | 'instanceTypes' | 'region'>>;
};
