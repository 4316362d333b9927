import { sentence } from '../check/sentence.ts';
import type { Credentials } from '../ec2/sdk.ts';
import { failure, usageError } from '../errors.ts';
import { credentialsFrom, keysFrom } from '../master/keys.ts';
import { parseSettings } from '../master/service-settings.ts';
import { type Tried, tryAccount } from './account.ts';
import type { Ask } from './ask.ts';
import type { Files } from './look.ts';
import type { Answers } from './plan.ts';
import { refuseAs } from './refuse.ts';
import type { SetupOptions, SetupTools } from './tools.ts';

/** The region of the slaves of a master outside EC2; the SDK's own settings give the answer that is offered. */
export async function askForRegion(
  options: SetupOptions,
  known: string | undefined,
  { ask }: SetupTools,
): Promise<string> {
  const found = options.region ?? known ?? (await regionOfSdk());
  return await ask.text('AWS region of the slaves, such as us-west-2', found, {
    option: '--region',
    refuse: refuseAs('SLAVE', 'region'),
  });
}

async function regionOfSdk(): Promise<string | undefined> {
  const { createSdkEc2 } = await import('../ec2/sdk.ts');
  const sdk = createSdkEc2({});
  try {
    return await sdk.region();
  } catch {
    return undefined;
  } finally {
    sdk.close();
  }
}

/**
 * Makes everything that follows use a profile. Keys win over a profile, in every command alike, so those in the settings
 * of the service have to go.
 *
 * @returns whether there are keys in the settings, which are to be removed
 * @throws {UserError} where keys are given besides, or those in the settings are to stay
 */
export async function useProfile(
  { profile, accessKey, secretKey }: SetupOptions,
  { service }: Files,
  { ask, env }: SetupTools,
): Promise<boolean> {
  if (profile === undefined) return false;
  if (accessKey !== undefined || secretKey !== undefined)
    throw usageError('give either keys or --profile: keys win over a profile, so it would never be used');
  const { ACCESS_KEY, SECRET_KEY } = parseSettings(service.text ?? '');
  const there = keysFrom({}, { EC2_ACCESS_KEY: ACCESS_KEY, EC2_SECRET_KEY: SECRET_KEY });
  const hasKeys = there.accessKey !== undefined || there.secretKey !== undefined;
  const question = `The keys in ${service.file} win over a profile. Remove them there, so that the profile ${profile} is used?`;
  if (hasKeys && !(await ask.confirm(question, true)))
    throw failure(
      `the profile ${profile} would not be used beside the keys in ${service.file}, so nothing was written; without --profile setup uses the keys`,
    );
  env.AWS_PROFILE = profile;
  for (const name of ['EC2_ACCESS_KEY', 'EC2_SECRET_KEY']) delete env[name];
  return hasKeys;
}

/** The account, with the keys that belong into the settings of the service because they do not stand there yet. */
export async function askForAccount(
  options: SetupOptions,
  region: string,
  { service, oldSettings }: Files,
  { ask, say, env }: SetupTools,
): Promise<{ readonly tried: Tried; readonly keys?: NonNullable<Answers['keys']> }> {
  let credentials = credentialsFrom(keysFrom(options, env));
  let tried = await tryAccount(region, credentials);
  for (const { file, accessKey, secretKey } of oldSettings) {
    if ('sdk' in tried || credentials !== undefined || options.profile !== undefined) break;
    say(`Trying the keys in ${file}.`);
    credentials = credentialsFrom({ accessKey, secretKey });
    tried = await tryAccount(region, credentials);
  }
  while ('refused' in tried) {
    say(`Credentials: ${sentence(tried.isMissing ? 'none were found' : tried.refused)}`);
    if (options.profile !== undefined) return { tried };
    const typed = await askForKeys(ask, say);
    if (typed === undefined) return { tried };
    credentials = typed;
    tried = await tryAccount(region, credentials);
  }
  say(`Credentials: AWS accepts ${tried.keyId}.`);
  const there = parseSettings(service.text ?? '');
  if (credentials === undefined || there.SECRET_KEY === credentials.secretAccessKey) return { tried };
  if (!(await ask.confirm(`Write these keys into ${service.file}, which only root can read?`, true)))
    return { tried };
  const { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken } = credentials;
  return { tried, keys: { accessKey, secretKey, ...(sessionToken !== undefined && { sessionToken }) } };
}

/** Asks until the keys can be keys; undefined where nobody is asked, or the answer is empty. */
async function askForKeys(ask: Ask, say: (line: string) => void): Promise<Credentials | undefined> {
  for (;;) {
    const accessKey = await ask.key('EC2 access key (leave it empty to go on without)', true);
    if (accessKey === undefined || accessKey === '') return undefined;
    const secretKey = await ask.key('EC2 secret key, which is not shown', false);
    const isTemporary = accessKey.startsWith('ASIA');
    const sessionToken = isTemporary ? await ask.key('Session token, which is not shown', false) : undefined;
    try {
      return credentialsFrom({
        accessKey,
        secretKey: secretKey ?? '',
        ...(sessionToken !== undefined && { sessionToken }),
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      say(`Credentials: ${sentence(error.message)}`);
    }
  }
}
