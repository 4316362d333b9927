import type { Config } from '../config/config.ts';
import type { UserError } from '../errors.ts';
import type { FarmPlace } from '../farm/create.ts';
import type { Farm } from '../farm/farm.ts';

/** A valid configuration, and what is odd in the file all the same. */
export type LoadedConfig = { readonly config: Config; readonly warnings: readonly string[] };

/**
 * What a balancer may need root for: the farm file, Apache, the configuration file, a new log file after logrotate,
 * and the pidfile.
 */
export type Keeper = {
  /** Follows the configuration: an error before the first `readConfig`. */
  readonly farm: Farm;
  /**
   * Reads the configuration file (again). From then on the farm is the one that it names.
   *
   * @throws {UserError} when it is wrong; everything stays as it was then
   */
  readConfig(): Promise<LoadedConfig>;
  /** Another text when the configuration file has been written since: after the first `readConfig`, cheap. */
  configMark(): Promise<string>;
  /**
   * Makes sure that the log file is there for us to open, in a directory that only root may write to. Then the log is
   * to be reopened.
   *
   * @throws {UserError} when it cannot be created
   */
  reopenLog(): Promise<void>;
  /** Removes the pidfile and ends the keeper. Takes a few seconds at most, and never throws. */
  end(): Promise<void>;
  /** Settles when the part of the program that has root's rights has ended by itself; with what to tell the administrator. */
  readonly died: Promise<UserError>;
};

/** The rooms that a keeper uses. */
export type KeeperParts = {
  loadConfig(file: string): Promise<LoadedConfig>;
  /** @param override `[MASTER] renderfarm_conf` */
  findRenderfarm(override?: string): Promise<string>;
  createFarm(place: FarmPlace): Farm;
};
