import type { Config } from '../config/config.ts';
import type { UserError } from '../errors.ts';
import type { FarmPlace } from '../farm/create.ts';
import type { Farm } from '../farm/farm.ts';

/** A valid configuration, and warnings about the file. */
export type LoadedConfig = { readonly config: Config; readonly warnings: readonly string[] };

/**
 * The things that a balancer may need root for: the farm file, Apache, the configuration file, a new log file after
 * logrotate, and the pidfile.
 */
export type Keeper = {
  /** Follows the configuration: an error before the first `readConfig`. */
  readonly farm: Farm;
  /**
   * Reads the configuration file (again), and uses the farm that it names from then on.
   *
   * @throws {UserError} when it is wrong; then nothing changes
   */
  readConfig(): Promise<LoadedConfig>;
  /** A text that changes when the configuration file is written; cheap after the first `readConfig`. */
  configMark(): Promise<string>;
  /**
   * Makes sure that the log file exists for us to open, in a directory that only root may write to. The caller reopens
   * the log then.
   *
   * @throws {UserError} when it cannot be created
   */
  reopenLog(): Promise<void>;
  /** Removes the pidfile and ends the keeper. Takes a few seconds at most, and never throws. */
  end(): Promise<void>;
  /**
   * Resolves when the part of the program that has root's rights has ended by itself, with a message for the
   * administrator.
   */
  readonly died: Promise<UserError>;
};

/** The parts of the program that a keeper uses. */
export type KeeperParts = {
  loadConfig(file: string): Promise<LoadedConfig>;
  /** @param override `[MASTER] renderfarm_conf` */
  findRenderfarm(override?: string): Promise<string>;
  createFarm(place: FarmPlace): Farm;
};
