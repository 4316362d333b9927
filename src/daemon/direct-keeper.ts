import { SECOND } from '../clock.ts';
import type { Farm } from '../farm/farm.ts';
import { within } from '../os/time-limit.ts';
import { fileMark } from './file-mark.ts';
import type { Keeper, KeeperParts, LoadedConfig } from './keeper.ts';
import type { Pidfile } from './pidfile.ts';

/** A configuration file, and the farm that it names. */
type FollowedConfig = {
  /** What was read last; undefined before the first `readConfig`. */
  current(): { readonly loaded: LoadedConfig; readonly renderfarm: string; readonly farm: Farm } | undefined;
  /** @throws {UserError} when the file is wrong; then `current` does not change */
  readConfig(): Promise<LoadedConfig>;
};

export function followConfig(configFile: string, parts: KeeperParts): FollowedConfig {
  let current: ReturnType<FollowedConfig['current']>;
  return {
    current: () => current,
    async readConfig() {
      const loaded = await parts.loadConfig(configFile);
      const { renderfarmConf, reloadCommand, farm, farmList } = loaded.config.master;
      const renderfarm = await parts.findRenderfarm(renderfarmConf);
      const place = { file: renderfarm, reloadCommand, ...(farm === 'live' && { list: farmList }) };
      current = { loaded, renderfarm, farm: parts.createFarm(place) };
      return loaded;
    },
  };
}

/** Longer than the keeper takes for each, which limits the programs that it runs by itself. */
const FARM_LIMIT = 15 * SECOND;
const RELOAD_LIMIT = 90 * SECOND;

/** The current farm at each call, which answers or fails in bounded time. */
export function farmOf(current: () => Farm | undefined): Farm {
  function farm(): Farm {
    const found = current();
    if (found === undefined) throw new Error('the configuration has not been read yet');
    return found;
  }
  return {
    read: async () => await within(FARM_LIMIT, 'reading the farm file', farm().read()),
    write: async urls => await within(FARM_LIMIT, 'writing the farm file', farm().write(urls)),
    reload: async () => await within(RELOAD_LIMIT, 'telling Apache about the new farm file', farm().reload()),
  };
}

/** The keeper of a balancer that runs as the user who started it: it does everything itself. */
export function directKeeper(options: {
  readonly configFile: string;
  readonly pidfile?: Pidfile;
  readonly parts: KeeperParts;
}): Keeper {
  const followed = followConfig(options.configFile, options.parts);
  return {
    farm: farmOf(() => followed.current()?.farm),
    readConfig: () => followed.readConfig(),
    configMark: () => fileMark(options.configFile),
    // A user who can create the file here can also open it.
    reopenLog: async () => {},
    end: async () => await options.pidfile?.remove().catch(() => {}),
    died: new Promise(() => {}),
  };
}
