import type { Credentials } from '../ec2/sdk.ts';
import { usageError } from '../errors.ts';

/** An access key and its secret, or either of them; a temporary key has a session token besides. */
export type Keys = {
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly sessionToken?: string;
};

/** The placeholder of the manual's `/etc/default` file. */
const PLACEHOLDER = /^YOUR_EC2_\w+_HERE$/;

/** Keys of the Security Token Service begin so; AWS rejects them without their token. */
const TEMPORARY = /^ASIA/;

/** A key without the newline of the file that it came from; undefined for none. */
function meant(value: string | undefined): string | undefined {
  const key = value?.trim() ?? '';
  return key === '' || PLACEHOLDER.test(key) ? undefined : key;
}

/** The keys of the command line, else of `EC2_ACCESS_KEY` and `EC2_SECRET_KEY`; none if only the SDK may find some. */
export function keysFrom(
  options: Pick<Keys, 'accessKey' | 'secretKey'>,
  env: Readonly<Record<string, string | undefined>>,
): Keys {
  const accessKey = meant(options.accessKey) ?? meant(env.EC2_ACCESS_KEY);
  const secretKey = meant(options.secretKey) ?? meant(env.EC2_SECRET_KEY);
  const sessionToken =
    accessKey !== undefined && TEMPORARY.test(accessKey) ? meant(env.AWS_SESSION_TOKEN) : undefined;
  return {
    ...(accessKey !== undefined && { accessKey }),
    ...(secretKey !== undefined && { secretKey }),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

/**
 * Both keys, or none.
 *
 * @throws {UserError} when one is missing, a key is malformed, or a temporary key has no token
 */
export function credentialsFrom(keys: Keys): Credentials | undefined {
  const { accessKey, secretKey, sessionToken } = keys;
  if (accessKey === undefined && secretKey === undefined) return undefined;
  if (accessKey === undefined) {
    throw usageError('there is an EC2 secret key but no access key: give --access_key or EC2_ACCESS_KEY too');
  }
  if (secretKey === undefined) {
    throw usageError('there is an EC2 access key but no secret key: give --secret_key or EC2_SECRET_KEY too');
  }
  for (const [name, key] of [
    ['access key', accessKey],
    ['secret key', secretKey],
    ['session token', sessionToken ?? ''],
  ] as const) {
    if (!/^[!-~]*$/.test(key)) {
      throw usageError(
        `the EC2 ${name} (not shown) contains white space or other characters that no key has: copy it again`,
      );
    }
  }
  if (TEMPORARY.test(accessKey) && sessionToken === undefined) {
    throw usageError(
      'the EC2 access key is a temporary one (ASIA...), and its session token is missing: set AWS_SESSION_TOKEN',
    );
  }
  return {
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}
