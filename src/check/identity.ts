import type { SdkEc2 } from '../ec2/sdk.ts';

/** Whose credentials they are. */
export type Identity = { readonly account: string; readonly arn: string };

const REQUEST = 'Action=GetCallerIdentity&Version=2011-06-15';

/** The address of the Security Token Service, from that of EC2: at AWS the names differ only in the service. */
export function tokenService(endpoint: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const set = env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL;
  if (set) return URL.canParse(set) ? new URL(set) : undefined;
  if (!/^ec2(-fips)?\.[\w-]+\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws)$/.test(endpoint.hostname))
    return undefined;
  return new URL(endpoint.href.replace('//ec2', '//sts'));
}

/**
 * Asks the Security Token Service whose credentials these are (GetCallerIdentity, which everybody may ask).
 *
 * @returns undefined when it does not say, or when EC2 has an address other than AWS's and no address of STS is
 *   configured; nothing depends on it
 */
export async function whoIs(
  connect: () => Promise<{ readonly sdk: SdkEc2 }>,
  endpoint: URL,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  const url = tokenService(endpoint, env);
  if (url === undefined) return undefined;
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
