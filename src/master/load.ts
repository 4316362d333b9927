import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { readMetadata } from './metadata.ts';
import { type Needs, type Site, siteOf } from './site.ts';

/** Options of the command line that outrank what the configuration file says. */
export type Overrides = {
  /** `--ssh_key` */
  readonly sshKey?: string;
};

/** The effective configuration, and where its master runs. */
export type Master = {
  readonly config: Config;
  /** Warnings about the file, a sentence each. */
  readonly warnings: readonly string[];
  readonly site: Site;
};

/**
 * Reads the configuration of `--conf`, or of the default place.
 *
 * @throws {UserError} for a configuration that is missing or wrong
 */
export async function loadMaster(
  given: { readonly conf?: string } & Overrides,
  needs?: Needs,
): Promise<Master> {
  const { config, warnings } = await loadConfig(given.conf ?? (await findConfigFile()));
  const effective = withOverrides(config, given);
  return { config: effective, warnings, site: await findSite(effective, needs) };
}

/** The effective configuration: an option of the command line outranks the file. */
export function withOverrides(config: Config, { sshKey }: Overrides): Config {
  return sshKey === undefined ? config : { ...config, slave: { ...config.slave, sshKey } };
}

/**
 * Where this machine runs; on EC2 its metadata service says so.
 *
 * @throws {UserError} when the file lacks what a master outside EC2 needs
 */
export async function findSite(config: Config, needs?: Needs): Promise<Site> {
  return siteOf(config, await readMetadata(process.env), hostname(), needs);
}
