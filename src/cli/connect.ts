import { setGlobalProxyFromEnv } from 'node:http';
import type { Config } from '../config/config.ts';
import type { SdkEc2 } from '../ec2/sdk.ts';
import { usageError } from '../errors.ts';
import { credentialsFrom, type Keys } from '../master/keys.ts';
import { loadMaster, type Master, type Overrides } from '../master/load.ts';
import type { Needs, Site } from '../master/site.ts';
import { keysOrAsk, requireCredentials } from './ask-keys.ts';

/** What a command needs to work on the account of a master. Close `sdk` at the end. */
export type Connected = Master & { readonly sdk: SdkEc2 };

/**
 * Reads the configuration of `--conf`, or of the default place, and connects to its account: with the keys of the
 * options, of the environment, or what the SDK finds.
 *
 * @throws {UserError} for a configuration that is wrong, a region or credentials that are missing
 */
export async function connectMaster(
  given: { readonly conf?: string } & Overrides & Pick<Keys, 'accessKey' | 'secretKey'>,
  needs?: Needs,
): Promise<Connected> {
  const master = await loadMaster(given, needs);
  useProxy(master.config);
  const sdk = await connect(master.config.file, master.site, await keysOrAsk(given));
  return { ...master, sdk };
}

/**
 * Connects to EC2 in the region of the master's slaves.
 *
 * @throws {UserError} when region or credentials are missing
 */
export async function connect(configFile: string, site: Site, keys: Keys): Promise<SdkEc2> {
  const credentials = credentialsFrom(keys);
  // The SDK is half of the program, so it is loaded only when it is needed.
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

/**
 * HTTPS goes through `HTTPS_PROXY`; requests to this machine and the slaves do not (they are plain HTTP).
 *
 * @throws {UserError} when it is no URL of a proxy; its value may hold a password and is not shown
 */
export function useProxy(config: Config): void {
  const https_proxy = process.env.HTTPS_PROXY || process.env.https_proxy;
  if (!https_proxy) return;
  const given = process.env.NO_PROXY ?? process.env.no_proxy;
  const status = new URL(config.master.serverStatusUrl).hostname;
  const no_proxy = [given, 'localhost', '127.0.0.1', '[::1]', status].filter(Boolean).join(',');
  try {
    if (!/^https?:$/.test(new URL(https_proxy).protocol)) throw new Error('another protocol');
    setGlobalProxyFromEnv({ https_proxy, no_proxy });
  } catch {
    // Not as the cause: Node's errors repeat the URL.
    throw usageError(
      'HTTPS_PROXY (its value is not shown, it may hold a password) is not the URL of a proxy, expected http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with any of the characters / ? # @ of a password percent-encoded',
    );
  }
}
