import { setGlobalProxyFromEnv } from 'node:http';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import type { SdkEc2 } from '../ec2/sdk.ts';
import { usageError } from '../errors.ts';
import { readMetadata } from '../master/metadata.ts';
import { type Site, siteOf } from '../master/site.ts';
import { credentialsFrom, type Keys, keysOrAsk, requireCredentials } from './credentials.ts';
import type { GivenOptions } from './main.ts';

/** What a command that works on the account of a master begins with. Close `sdk` at the end. */
export type Connected = {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly site: Site;
  readonly sdk: SdkEc2;
};

/**
 * Reads the configuration of `--conf`, or of the default place, and connects to its account: with the keys of the
 * options, of the environment, or what the SDK finds.
 *
 * @throws {UserError} for a configuration that is wrong, a region or credentials that are missing
 */
export async function connectMaster(given: GivenOptions): Promise<Connected> {
  const loaded = await loadConfig(typeof given.conf === 'string' ? given.conf : await findConfigFile());
  useProxy(loaded.config);
  const site = siteOf(loaded.config, await readMetadata(process.env), hostname());
  const sdk = await connect(loaded.config.file, site, await keysOrAsk(given));
  return { ...loaded, site, sdk };
}

/**
 * Connects to EC2 where the master's slaves are.
 *
 * @throws {UserError} when region or credentials are missing
 */
export async function connect(configFile: string, site: Site, keys: Keys): Promise<SdkEc2> {
  const credentials = credentialsFrom(keys);
  // The SDK is half of the program: not before it is needed.
  const { createSdkEc2 } = await import('../ec2/sdk.ts');
  const sdk = createSdkEc2({
    ...(site.region !== undefined && { region: site.region }),
    ...(credentials !== undefined && { credentials }),
  });
  await requireRegion(configFile, sdk);
  await requireCredentials(sdk);
  return sdk;
}

/**
 * The region that the slaves are in.
 *
 * @throws {UserError} when neither the configuration nor the SDK's settings name one
 */
export async function regionOf(configFile: string, site: Site): Promise<string> {
  if (site.region !== undefined) return site.region;
  const { createSdkEc2 } = await import('../ec2/sdk.ts');
  const sdk = createSdkEc2({});
  try {
    return await requireRegion(configFile, sdk);
  } finally {
    sdk.close();
  }
}

async function requireRegion(configFile: string, sdk: SdkEc2): Promise<string> {
  try {
    return await sdk.region();
  } catch (error) {
    throw usageError(
      `${configFile}: [SLAVE] region is not set, expected the AWS region for the slaves: this machine is not an EC2 instance`,
      { cause: error },
    );
  }
}

/** HTTPS goes through `HTTPS_PROXY`; what is on this machine and the slaves does not (they are asked over HTTP). */
export function useProxy(config: Config): void {
  const https_proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  if (https_proxy === undefined) return;
  const given = process.env.NO_PROXY ?? process.env.no_proxy;
  const status = new URL(config.master.serverStatusUrl).hostname;
  const no_proxy = [given, 'localhost', '127.0.0.1', '[::1]', status].filter(Boolean).join(',');
  setGlobalProxyFromEnv({ https_proxy, no_proxy });
}
