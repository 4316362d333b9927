import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Credentials, SdkEc2 } from '../ec2/sdk.ts';
import { failure, usageError } from '../errors.ts';

/** An access key and its secret, or either of them. */
export type Keys = { readonly accessKey?: string; readonly secretKey?: string };

/** What the manual's `/etc/default` file has in the place of a key. */
const PLACEHOLDER = /^YOUR_EC2_\w+_HERE$/;

function given(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !PLACEHOLDER.test(value) ? value : undefined;
}

/** The keys of the command line, else of `EC2_ACCESS_KEY` and `EC2_SECRET_KEY`; none when only the SDK may know some. */
export function keysFrom(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Keys {
  const accessKey = given(options.access_key) ?? given(env.EC2_ACCESS_KEY);
  const secretKey = given(options.secret_key) ?? given(env.EC2_SECRET_KEY);
  return { ...(accessKey !== undefined && { accessKey }), ...(secretKey !== undefined && { secretKey }) };
}

/**
 * Both keys, or none.
 *
 * @throws {UserError} when one is there without the other
 */
export function credentialsFrom(keys: Keys): Credentials | undefined {
  const { accessKey, secretKey } = keys;
  if (accessKey === undefined && secretKey === undefined) return undefined;
  if (accessKey === undefined) {
    throw usageError('there is an EC2 secret key but no access key: give --access_key or EC2_ACCESS_KEY too');
  }
  if (secretKey === undefined) {
    throw usageError('there is an EC2 access key but no secret key: give --secret_key or EC2_SECRET_KEY too');
  }
  return { accessKeyId: accessKey, secretAccessKey: secretKey };
}

/** The keys that were given; asked for when there are none anywhere and somebody is there to ask. */
export async function keysOrAsk(options: Readonly<Record<string, unknown>>): Promise<Keys> {
  const keys = keysFrom(options, process.env);
  const complete = keys.accessKey !== undefined && keys.secretKey !== undefined;
  if (complete || !process.stdin.isTTY) return keys;
  const partial = keys.accessKey !== undefined || keys.secretKey !== undefined;
  return partial || !(await sdkFindsSome()) ? askForKeys(keys) : keys;
}

async function sdkFindsSome(): Promise<boolean> {
  const { createSdkEc2 } = await import('../ec2/sdk.ts');
  const sdk = createSdkEc2({});
  try {
    await sdk.findCredentials();
    return true;
  } catch {
    return false;
  } finally {
    sdk.close();
  }
}

/** Asks at the terminal for the keys that are missing; the secret one does not show. */
async function askForKeys(keys: Keys): Promise<Keys> {
  return {
    accessKey: keys.accessKey ?? (await ask('Enter your EC2 access key: ', true)),
    secretKey: keys.secretKey ?? (await ask('Enter your EC2 secret key: ', false)),
  };
}

async function ask(question: string, visible: boolean): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({
    input: process.stdin,
    output: visible ? process.stderr : nowhere,
    terminal: true,
  });
  const interrupted = Promise.withResolvers<never>();
  prompt.once('SIGINT', () => interrupted.reject(failure('interrupted')));
  prompt.once('close', () => interrupted.reject(failure('no EC2 credentials were entered')));
  interrupted.promise.catch(() => {});
  try {
    return (await Promise.race([prompt.question(''), interrupted.promise])).trim();
  } finally {
    prompt.close();
    if (!visible) process.stderr.write('\n');
  }
}

/**
 * Makes sure that there are credentials.
 *
 * @throws {UserError} saying where they are looked for
 */
export async function requireCredentials(sdk: SdkEc2): Promise<void> {
  try {
    await sdk.findCredentials();
  } catch (error) {
    throw failure(
      'no AWS credentials: give --access_key and --secret_key, or set EC2_ACCESS_KEY and EC2_SECRET_KEY, or use what the AWS SDK knows (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws, an instance role)',
      { cause: error },
    );
  }
}
