import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { SdkEc2 } from '../ec2/sdk.ts';
import { failure, messageOf } from '../errors.ts';
import { type Keys, keysFrom } from '../master/keys.ts';

/** The given keys; asks at the terminal when there are none anywhere. */
export async function keysOrAsk(options: Pick<Keys, 'accessKey' | 'secretKey'>): Promise<Keys> {
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

/** Asks at the terminal for the missing keys; the secret one is not shown. */
async function askForKeys(keys: Keys): Promise<Keys> {
  return {
    ...keys,
    accessKey: keys.accessKey ?? (await ask('Enter your EC2 access key: ', true, NO_KEYS)),
    secretKey: keys.secretKey ?? (await ask('Enter your EC2 secret key: ', false, NO_KEYS)),
  };
}

const NO_KEYS = 'no EC2 credentials were entered';

// consola's prompts write to standard output, which is for results, and show a secret while it is typed.
/**
 * Asks at the terminal.
 *
 * @param noAnswer the message when the input ends (Ctrl-D)
 * @throws {UserError} when it is interrupted
 */
export async function ask(
  question: string,
  visible: boolean,
  noAnswer = 'no answer was given',
): Promise<string> {
  // What readline shows itself would be erased by its first redrawing of the line.
  if (!visible) process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({
    input: process.stdin,
    output: visible ? process.stderr : nowhere,
    terminal: true,
  });
  const interrupted = Promise.withResolvers<never>();
  prompt.once('SIGINT', () => interrupted.reject(failure('interrupted')));
  prompt.once('close', () => interrupted.reject(failure(noAnswer)));
  interrupted.promise.catch(() => {});
  try {
    return (await Promise.race([prompt.question(visible ? question : ''), interrupted.promise])).trim();
  } finally {
    prompt.close();
    if (!visible) process.stderr.write('\n');
  }
}

/** What the SDK says when it finds no credentials anywhere; its other messages say more than ours. */
const NOWHERE = /^Could not load credentials from any providers/;

/**
 * Makes sure that there are credentials.
 *
 * @throws {UserError} saying where the program searches for them
 */
export async function requireCredentials(sdk: SdkEc2): Promise<void> {
  try {
    await sdk.findCredentials();
  } catch (error) {
    const reason = messageOf(error);
    if (!NOWHERE.test(reason))
      throw failure(`the AWS credentials cannot be used: ${reason}`, { cause: error });
    throw failure(
      'no AWS credentials: give --access_key and --secret_key, or set EC2_ACCESS_KEY and EC2_SECRET_KEY, or use a source of the AWS SDK (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws, an instance role)',
      { cause: error },
    );
  }
}
