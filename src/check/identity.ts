import type { SdkEc2 } from '../ec2/sdk.ts';
import { endpointOf } from './endpoint.ts';

/** Whose credentials they are. */
export type Identity = { readonly account: string; readonly arn: string };

const REQUEST = 'Action=GetCallerIdentity&Version=2011-06-15';

/**
 * Asks the Security Token Service whose credentials these are (GetCallerIdentity, which everybody may ask).
 *
 * @returns undefined when it does not say; nothing depends on it. Also where EC2 itself is at another address than
 *   AWS's own and nothing is said about STS
 */
export async function whoIs(
  connect: () => Promise<{ readonly sdk: SdkEc2 }>,
  region: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  const { AWS_ENDPOINT_URL: all, AWS_ENDPOINT_URL_EC2: ec2, AWS_ENDPOINT_URL_STS: sts } = env;
  if (ec2 !== undefined && sts === undefined && all === undefined) return undefined;
  const url = new URL(endpointOf('STS', region, env));
  try {
    const { sdk } = await connect();
    const headers = { ...(await sdk.signedHeaders('sts', url, REQUEST)) };
    const { ofetch } = await import('ofetch');
    const text = String(
      await ofetch(url.href, {
        method: 'POST',
        headers,
        body: REQUEST,
        retry: 0,
        responseType: 'text',
        signal,
      }),
    );
    const [, account] = /<Account>(\d+)<\/Account>/.exec(text) ?? [];
    const [, arn] = /<Arn>([^<]+)<\/Arn>/.exec(text) ?? [];
    return account === undefined || arn === undefined ? undefined : { account, arn };
  } catch {
    return undefined;
  }
}
