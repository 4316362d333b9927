import { isDeepStrictEqual } from 'node:util';
import type { Balancer } from '../balancer/loop.ts';
import { type Clock, SECOND } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Keeper } from '../daemon/keeper.ts';
import { failure, messageOf } from '../errors.ts';
import type { OpenLog } from '../log/create.ts';
import type { Log } from '../log/log.ts';
import { findSite, type Overrides, withOverrides } from '../master/load.ts';
import type { Site } from '../master/site.ts';
import type { SpotFleet } from '../spot/fleet.ts';

/** The current configuration, and what follows from it. */
type Current = { readonly config: Config; readonly site: Site; readonly fleet: SpotFleet };

export type Configuration = {
  current(): Current;
  /** Uses the current configuration at each call. */
  readonly fleet: SpotFleet;
  /**
   * Reads the file again.
   *
   * @throws {UserError} when it is wrong, or changes what only a restart can change; then nothing changes
   */
  read(): Promise<Config>;
  /**
   * Reads the file again if it has been written since it was last read, even if it was wrong then.
   *
   * @returns undefined when nothing has changed
   * @throws {UserError} as `read` does, once for each time that the file was written
   */
  readIfWritten(): Promise<Config | undefined>;
};

/** A file that was written a moment ago may not be complete: an editor saves in pieces. */
const PIECES = SECOND;

/** The configuration of a running balancer, which follows its file. */
export function followConfiguration(parts: {
  readonly keeper: Pick<Keeper, 'readConfig' | 'configMark'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly first: { readonly config: Config; readonly site: Site };
  /** Options that outrank what the file says. */
  readonly overrides?: Overrides;
  fleetAt(site: Site): SpotFleet;
}): Configuration {
  const { keeper, clock, log, fleetAt, first, overrides = {} } = parts;
  let current: Current = { ...first, fleet: fleetAt(first.site) };
  /** The mark of what was read last; unknown at first, so that no change since the start is missed. */
  let mark: string | undefined;

  async function read({ evenIfSame }: { readonly evenIfSame: boolean }): Promise<Config | undefined> {
    const { config: read, warnings } = await keeper.readConfig();
    const config = withOverrides(read, overrides);
    if (!evenIfSame && isDeepStrictEqual(config, current.config)) return undefined;
    for (const warning of warnings) log.warn(warning);
    const site = await findSite(config);
    const fixed = (['name', 'region'] as const).filter(key => site[key] !== current.site[key]);
    if (fixed.length > 0) throw failure(`${fixed.join(' and ')} can only be changed by a restart`);
    current = { config, site, fleet: fleetAt(site) };
    return config;
  }

  return {
    current: () => current,
    fleet: fleetOf(() => current.fleet),
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

function fleetOf(current: () => SpotFleet): SpotFleet {
  return {
    describeSlaves: () => current().describeSlaves(),
    staging: () => current().staging(),
    prepare: (...given) => current().prepare(...given),
    launch: intent => current().launch(intent),
    markDraining: (...given) => current().markDraining(...given),
    markAlive: (...given) => current().markAlive(...given),
    terminate: instanceIds => current().terminate(instanceIds),
    tidy: () => current().tidy(),
  };
}

/** SIGHUP: reopens the log and reads the configuration again; a bad one is refused. */
export async function reload(parts: {
  readonly file: Configuration;
  readonly keeper: Pick<Keeper, 'reopenLog'>;
  readonly log: OpenLog;
  readonly balancer: Pick<Balancer, 'reconfigure'>;
}): Promise<void> {
  const { file, keeper, log, balancer } = parts;
  try {
    await keeper.reopenLog();
    log.reopen();
  } catch (error) {
    log.error(`the log could not be reopened: ${messageOf(error)}`);
  }
  try {
    const config = await file.read();
    balancer.reconfigure(config);
    log.info(`configuration read again from ${config.file}`);
  } catch (error) {
    log.error(`the configuration was not changed: ${messageOf(error)}`);
  }
}
