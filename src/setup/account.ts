import { refusal } from '../check/topics/credentials.ts';
import { isDenied, isDryRun, isEc2Error } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import type { Credentials, SdkEc2 } from '../ec2/sdk.ts';
import { messageOf } from '../errors.ts';
import { findSpotPrices, type ZonePrice } from '../spot/prices.ts';
import { type Architecture, proposeTypes, USUAL_TYPES } from './instance-types.ts';

/** An account that was tried: usable, or the reason why not. */
export type Tried =
  | { readonly sdk: SdkEc2; readonly keyId: string }
  | { readonly refused: string; readonly isMissing: boolean };

/** Connects with the keys, or with what the SDK finds, and makes one call that changes nothing. */
export async function tryAccount(region: string, credentials: Credentials | undefined): Promise<Tried> {
  const { createSdkEc2 } = await import('../ec2/sdk.ts');
  const sdk = createSdkEc2({ region, ...(credentials !== undefined && { credentials }) });
  let keyId: string;
  try {
    keyId = await sdk.findCredentials();
  } catch (error) {
    sdk.close();
    return { refused: messageOf(error), isMissing: true };
  }
  try {
    await sdk.ec2('DescribeSubnets', { DryRun: true });
  } catch (error) {
    if (!isEc2Error(error)) throw error;
    if (!isDryRun(error) && !isDenied(error)) {
      sdk.close();
      const { message, fix } = refusal(error.code, error.message, keyId, 'what was given or found');
      return { refused: [message, fix].filter(it => it !== undefined).join(' '), isMissing: false };
    }
  }
  return { sdk, keyId };
}

/** The types to propose, and today's prices of these and of other requested ones. */
export type Market = { readonly types: readonly string[]; readonly prices: readonly ZonePrice[] };

/** The size that a slave needs: GBrowse's data in memory, and a second processor for the second request. */
const SIZE = { processors: '2', mebibytes: '8192' };

/**
 * Asks EC2 for types and prices; the usual ones without prices if the account may not ask.
 *
 * @param wanted further types whose prices are needed
 * @throws {Ec2Error}
 */
export async function findMarket(
  { ec2 }: Pick<SdkEc2, 'ec2'>,
  architecture: Architecture,
  wanted: readonly string[],
): Promise<Market> {
  try {
    const offered = await allPages(
      'DescribeInstanceTypes',
      token =>
        ec2('DescribeInstanceTypes', {
          Filters: [
            { Name: 'current-generation', Values: ['true'] },
            { Name: 'vcpu-info.default-vcpus', Values: [SIZE.processors] },
            { Name: 'memory-info.size-in-mib', Values: [SIZE.mebibytes] },
          ],
          ...token,
        }),
      page => page.InstanceTypes,
    );
    const names = new Set([...offered.flatMap(it => it.InstanceType ?? []), ...wanted]);
    const prices = await findSpotPrices({ ec2 }.ec2, [...names], 'Linux/UNIX');
    return { types: proposeTypes(offered, prices, architecture), prices };
  } catch (error) {
    if (isDenied(error)) return { types: USUAL_TYPES[architecture], prices: [] };
    throw error;
  }
}
