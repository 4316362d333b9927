import type { SdkEc2 } from '../ec2/sdk.ts';

/** Whose credentials they are. */
export type Identity = { readonly account: string; readonly arn: string };

const REQUEST = 'Action=GetCallerIdentity&Version=2011-06-15';

/** Where the Security Token Service is, by where EC2 is: at AWS their names differ in the service alone. */
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
 * @returns undefined when it does not say; nothing depends on it. Also where EC2 itself is at another address than
 *   AWS's own and nothing is said about STS
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
