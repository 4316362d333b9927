import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, SECOND } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Keeper } from '../daemon/keeper.ts';
import { failure } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { readMetadata } from '../master/metadata.ts';
import { type Site, siteOf } from '../master/site.ts';
import type { SpotFleet } from '../spot/fleet.ts';

/** What the configuration file says now, and what follows from it. */
export type Current = { readonly config: Config; readonly site: Site; readonly fleet: SpotFleet };

export type Configuration = {
  current(): Current;
  /**
   * Reads the file again.
   *
   * @throws {UserError} when it is wrong, or changes what only a restart can change; all stays as it was then
   */
  read(): Promise<Config>;
  /**
   * Reads the file again if it has been written since it was last read, right or wrong.
   *
   * @returns undefined when it says what it said before
   * @throws {UserError} as `read`, once for each time that it was written
   */
  readIfWritten(): Promise<Config | undefined>;
};

/** A file that was written a moment ago may be written on: an editor saves in pieces. */
const PIECES = SECOND;

/** The configuration of a running balancer, which follows its file. */
export function followConfiguration(parts: {
  readonly keeper: Pick<Keeper, 'readConfig' | 'configMark'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly first: { readonly config: Config; readonly site: Site };
  fleetAt(site: Site): SpotFleet;
}): Configuration {
  const { keeper, clock, log, fleetAt, first } = parts;
  let current: Current = { ...first, fleet: fleetAt(first.site) };
  /** The mark of what was read last; at first unknown, so that nothing is missed that was written since the start. */
  let mark: string | undefined;

  async function read({ evenIfSame }: { readonly evenIfSame: boolean }): Promise<Config | undefined> {
    const { config, warnings } = await keeper.readConfig();
    if (!evenIfSame && isDeepStrictEqual(config, current.config)) return undefined;
    for (const warning of warnings) log.warn(warning);
    const site = siteOf(config, await readMetadata(process.env), hostname());
    const fixed = (['name', 'region'] as const).filter(key => site[key] !== current.site[key]);
    if (fixed.length > 0) throw failure(`${fixed.join(' and ')} can only be changed by a restart`);
    current = { config, site, fleet: fleetAt(site) };
    return config;
  }

  return {
    current: () => current,
    async read() {
      mark = await keeper.configMark();
      return (await read({ evenIfSame: true })) ?? current.config;
    },
    async readIfWritten() {
      const now = await keeper.configMark();
      if (now === mark) return undefined;
      await clock.sleep(PIECES);
      if ((await keeper.configMark()) !== now) return undefined;
      mark = now;
      return await read({ evenIfSame: false });
    },
  };
}
