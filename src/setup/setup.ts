import { chmod } from 'node:fs/promises';
import { sentence } from '../check/sentence.ts';
import type { Config } from '../config/config.ts';
import { findOption, parseDocument } from '../config/document.ts';
import { parseConfig } from '../config/load.ts';
import { optionsOf } from '../config/options.ts';
import type { Credentials } from '../ec2/sdk.ts';
import { failure, usageError } from '../errors.ts';
import { price } from '../format/money.ts';
import { credentialsFrom, type Keys, keysFrom } from '../master/keys.ts';
import type { MasterMetadata } from '../master/metadata.ts';
import { parseSettings } from '../master/service-settings.ts';
import { siteOf } from '../master/site.ts';
import { findPlacements } from '../spot/network.ts';
import { findMarket, type Tried, tryAccount } from './account.ts';
import type { Ask } from './ask.ts';
import { type Change, diffLines } from './changes.ts';
import { monthLines, priceLines } from './costs.ts';
import { type Architecture, proposeBid, USUAL_TYPES } from './instance-types.ts';
import { describeGBrowse, type Files, findFiles } from './look.ts';
import { canSwitchOn, statusTrouble, switchOn } from './mod-status.ts';
import { isOldImage, isPreviousGeneration, takeOver } from './original.ts';
import { type Answers, planChanges, withAnswers } from './plan.ts';
import { assertWritable, writeChange } from './write.ts';

/** The options of the command line. */
export type SetupOptions = Omit<Answers, 'keys' | 'serverStatusUrl'> &
  Pick<Keys, 'accessKey' | 'secretKey'> & {
    /** `--conf` */
    readonly conf?: string;
    readonly dryRun: boolean;
  };

export type SetupTools = {
  readonly ask: Ask;
  say(line: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly hostName: string;
  readMetadata(): Promise<MasterMetadata | undefined>;
};

/** The result of setup. */
export type SetUp = {
  /** The configuration file. */
  readonly file: string;
  /** Its text, written or not. */
  readonly text: string;
  readonly isWritten: boolean;
};

/**
 * Makes a configuration for an installed package: examines the machine, asks, shows what it will write, and writes it.
 * Nothing is written before the last question, so it can be interrupted and run again.
 *
 * @throws {UserError}
 */
export async function setUp(options: SetupOptions, tools: SetupTools): Promise<SetUp> {
  const { ask, say } = tools;
  const files = await findFiles(options.conf);
  const metadata = await tools.readMetadata();
  say(
    metadata === undefined
      ? 'EC2: this machine is not an EC2 instance; slaves get public addresses.'
      : `EC2: this machine is ${metadata.instanceId} in ${metadata.availabilityZone}; slaves are reached by their private addresses.`,
  );
  for (const line of await describeGBrowse()) say(line);
  const base = startingText(files, say);
  const isDecided = files.isDecided || base !== files.example;
  const old = isDecided ? valuesOf(base) : {};

  const url = valuesOf(base).server_status_url || 'http://localhost/server-status';
  await askForStatus(url, options.dryRun, tools);
  const region = metadata?.region ?? (await askForRegion(options, old.region, tools));
  const account = await askForAccount(options, region, files, tools);
  const tried = account.tried;
  try {
    const sdk = 'sdk' in tried ? tried.sdk : undefined;
    const architecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
    const wanted =
      options.instanceTypes?.split(/\s+/) ??
      (old.instance_type ?? '').split(/\s+/).filter(it => it !== '' && !isPreviousGeneration(it));
    const market =
      sdk === undefined
        ? { types: USUAL_TYPES[architecture], prices: [] }
        : await findMarket(sdk, architecture, wanted);
    const proposed = (wanted.length > 0 ? wanted : market.types).join(' ');
    for (const line of priceLines(market.prices, [...new Set([...proposed.split(' '), ...market.types])]))
      say(`  ${line}`);
    const instanceTypes = await ask.text('Instance types of the slaves', proposed, {
      option: '--instance_type',
      refuse: refuseAs('SLAVE', 'instance_type'),
    });
    const types = instanceTypes.split(/\s+/);
    const bid = options.spotBid ?? (Number(old.spot_bid) || proposeBid(market.prices, types));
    const spotBid = await ask.text(
      'The most that an hour of a slave may cost, in US dollars',
      price(bid ?? 0.1).slice(1),
      {
        option: '--spot_bid',
        refuse: refuseAs('SLAVE', 'spot_bid'),
      },
    );
    const answers: Answers = {
      ...(isOldImage(old.image_id ?? '') && { imageId: '' }),
      ...options,
      ...(metadata === undefined && { region }),
      instanceTypes: types.join(' '),
      spotBid: Number(spotBid),
      ...(account.keys !== undefined && { keys: account.keys }),
    };
    const text = withAnswers(base, answers);
    const { config, problems } = parseConfig(files.configuration.file, text);
    if (config === undefined) throw usageError(`${problems.join('\n')}\nnothing was written`);
    for (const line of monthLines(config.loadTable, market.prices, types)) say(`  ${line}`);
    if (sdk !== undefined) await describeNetwork(config, metadata, sdk, tools);

    const changes = planChanges(
      { configuration: files.configuration, service: files.service, base },
      answers,
    );
    const isWritten = await write(changes, files, options.dryRun, tools);
    // What runs next takes the new ones from the settings.
    if (isWritten && answers.keys !== undefined) {
      for (const name of ['EC2_ACCESS_KEY', 'EC2_SECRET_KEY']) delete tools.env[name];
    }
    return { file: files.configuration.file, text, isWritten };
  } finally {
    if ('sdk' in tried) tried.sdk.close();
  }
}

/** The text that the answers go into: the administrator's own, else the example with the settings of the Perl original. */
function startingText(
  { configuration, example, isDecided, originals }: Files,
  say: (line: string) => void,
): string {
  if (isDecided) return configuration.text ?? example;
  for (const { file, text } of originals) {
    const { text: result, taken, left } = takeOver(text, example);
    if (taken.length > 0) say(`Taken over from ${file}: ${taken.join(', ')}.`);
    for (const line of left) say(`Not taken over from ${file}: ${line}.`);
    if (taken.length > 0) return result;
  }
  return example;
}

function valuesOf(text: string): Readonly<Record<string, string | undefined>> {
  const document = parseDocument(text);
  const entry = (section: 'MASTER' | 'SLAVE') => (name: string) =>
    [name, findOption(document, section, name)?.value || undefined] as const;
  return Object.fromEntries([
    ...optionsOf('MASTER').map(({ name }) => entry('MASTER')(name)),
    ...optionsOf('SLAVE').map(({ name }) => entry('SLAVE')(name)),
  ]);
}

/** Refuses a value as the reader of the configuration file does. */
function refuseAs(section: 'MASTER' | 'SLAVE', name: string): (answer: string) => string | undefined {
  const option = optionsOf(section).find(it => it.name === name);
  return answer => (option?.parse(answer) === undefined ? `expected ${option?.expected}` : undefined);
}

async function askForStatus(url: string, dryRun: boolean, { ask, say }: SetupTools): Promise<void> {
  const trouble = await statusTrouble(url);
  if (trouble === undefined) return say(`mod_status: ${url} gives the load.`);
  say(`mod_status: ${sentence(trouble)}`);
  if (dryRun || !canSwitchOn() || new URL(url).hostname !== 'localhost') return;
  if (!(await ask.confirm('Switch mod_status on in this machine’s Apache, and reload it?', true))) return;
  try {
    for (const line of await switchOn(url)) say(line);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say(`mod_status could not be switched on: ${sentence(error.message)}`);
  }
}

async function askForRegion(
  options: SetupOptions,
  known: string | undefined,
  { ask, env }: SetupTools,
): Promise<string> {
  if (options.profile !== undefined) env.AWS_PROFILE = options.profile;
  const found = options.region ?? known ?? (await regionOfSdk());
  return await ask.text('AWS region of the slaves', found, {
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

/** The account, with the keys that belong into the settings of the service because they do not stand there yet. */
async function askForAccount(
  options: SetupOptions,
  region: string,
  { service, oldSettings }: Files,
  { ask, say, env }: SetupTools,
): Promise<{ readonly tried: Tried; readonly keys?: NonNullable<Answers['keys']> }> {
  if (options.profile !== undefined) env.AWS_PROFILE = options.profile;
  const here = parseSettings(service.text ?? '');
  const given = options.profile === undefined ? keysFrom(options, env) : {};
  let credentials = credentialsFrom(given);
  let tried = await tryAccount(region, credentials);
  for (const { file, accessKey, secretKey } of oldSettings) {
    if ('sdk' in tried || credentials !== undefined) break;
    say(`Trying the keys in ${file}.`);
    credentials = credentialsFrom({ accessKey, secretKey });
    tried = await tryAccount(region, credentials);
  }
  while ('refused' in tried) {
    say(`Credentials: ${sentence(tried.isMissing ? 'none were found' : tried.refused)}`);
    const secret = await askForKeys(ask);
    if (secret === undefined) return { tried };
    credentials = secret;
    tried = await tryAccount(region, credentials);
  }
  say(`Credentials: AWS accepts ${tried.keyId}.`);
  const isThere = credentials === undefined || here.SECRET_KEY === credentials.secretAccessKey;
  if (isThere || credentials === undefined) return { tried };
  if (!(await ask.confirm(`Write these keys into ${service.file}, which only root can read?`, true)))
    return { tried };
  const { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken } = credentials;
  return { tried, keys: { accessKey, secretKey, ...(sessionToken !== undefined && { sessionToken }) } };
}

async function askForKeys(ask: Ask): Promise<Credentials | undefined> {
  const accessKey = await ask.secret('EC2 access key (leave it empty to go on without)');
  if (accessKey === undefined || accessKey === '') return undefined;
  const secretKey = await ask.secret('EC2 secret key, which is not shown');
  return credentialsFrom({ accessKey, secretKey: secretKey ?? '' });
}

async function describeNetwork(
  config: Config,
  metadata: MasterMetadata | undefined,
  { ec2 }: Extract<Tried, { readonly sdk: unknown }>['sdk'],
  { say, hostName }: SetupTools,
): Promise<void> {
  try {
    // An image is not needed to find the network.
    const site = siteOf({ ...config, slave: { imageId: 'none', ...config.slave } }, metadata, hostName);
    const found = await findPlacements(ec2, site, undefined);
    const zones = [...new Set(found.map(it => it.availabilityZone))].toSorted();
    say(`Network: slaves run in ${found[0]?.vpcId}, in ${zones.join(', ')}.`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say(`Network: ${sentence(error.message)}`);
  }
}

async function write(
  changes: readonly Change[],
  { oldSettings }: Files,
  dryRun: boolean,
  { ask, say }: SetupTools,
): Promise<boolean> {
  const open = oldSettings.filter(it => it.isOpen);
  for (const change of changes) for (const line of diffLines(change)) say(line);
  for (const { file } of open)
    say(`${file} holds keys and can be read by others: its permissions become 0600.`);
  if (changes.length === 0 && open.length === 0) {
    say('Nothing has to be changed.');
    return true;
  }
  if (dryRun) return false;
  if (!(await ask.confirm('Write this?', true))) throw failure('nothing was written');
  await assertWritable(changes);
  for (const change of changes) await writeChange(change);
  for (const { file } of open) await chmod(file, 0o600);
  for (const { file } of changes) say(`${file} is written.`);
  return true;
}
