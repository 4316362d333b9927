import type { Image } from '@aws-sdk/client-ec2';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { type Document, findOption, parseDocument } from '../config/document.ts';
import { parseConfig } from '../config/load.ts';
import { readConfigFile } from '../config/read.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDenied, isDryRun, isEc2Error, isUnreachable } from '../ec2/errors.ts';
import { retryReads } from '../ec2/retry.ts';
import type { SdkEc2, SdkSettings } from '../ec2/sdk.ts';
import { isUserError, messageOf, usageError } from '../errors.ts';
import { findRenderfarm } from '../farm/locate.ts';
import { credentialsFrom, type Keys, keysFrom } from '../master/keys.ts';
import { withOverrides } from '../master/load.ts';
import type { MasterMetadata } from '../master/metadata.ts';
import { type ServiceSettings, serviceSettings } from '../master/service-settings.ts';
import { type Site, siteOf } from '../master/site.ts';
import { findImage, type SlaveImage } from '../spot/image.ts';
import { findPlacements, type Placement } from '../spot/network.ts';
import { findGivenGroup } from '../spot/security-group.ts';
import { isNotChecked, notChecked } from './finding.ts';
import type { Patience } from './patience.ts';

/** What `check` is asked to do. */
export type CheckOptions = {
  /** `--conf` */
  readonly confFile?: string;
  /** `--user` */
  readonly user?: string;
  /** `--ssh_key` */
  readonly sshKey?: string;
  /** `--sync`, `--image`: the permissions of these commands are tried, too. */
  readonly sync?: boolean;
  readonly image?: boolean;
  /** `--access_key`, `--secret_key` */
  readonly keys: Keys;
  /** How long (ms) to wait for each answer. */
  readonly timeLimit: number;
};

/** What `check` reads from outside. */
export type Edges = {
  readonly env: NodeJS.ProcessEnv;
  readonly hostName: string;
  /** The places of the package's own files. */
  readonly settingsFile: string;
  readonly shippedConfig: string;
  findConfigFile(): Promise<string>;
  readMetadata(): Promise<MasterMetadata | undefined>;
  /** Who made this machine, by its firmware (`Amazon EC2`); undefined when that is not known. */
  machineVendor(): Promise<string | undefined>;
  connect(settings: SdkSettings): Promise<SdkEc2>;
  /** The address of this machine as others see it. */
  findAddress(): Promise<string>;
  /** The Date header of a web server's answer; undefined when it has none. */
  fetchDate(url: string, signal: AbortSignal): Promise<string | undefined>;
};

/** A configuration file as it was read. */
type ReadConfig = {
  readonly file: string;
  readonly text: string;
  readonly document: Document;
} & ReturnType<typeof parseConfig>;

/** Where keys come from; `sdk`: whatever the SDK's chain finds. */
export type KeySource = 'options' | 'environment' | 'service' | 'sdk';

/** The connection to the account. */
export type Account = { readonly ec2: Ec2; readonly sdk: SdkEc2; readonly region: string };

/**
 * The facts that the topics check, each determined once, when the first topic asks. If a fact cannot be determined, one
 * topic reports it and all others get `NotChecked`.
 */
export type World = {
  readonly options: CheckOptions;
  readonly edges: Edges;
  /** Aborts when nothing has answered for the time limit. */
  readonly signal: AbortSignal;
  /** Something has answered: the time limit starts over. */
  answered(): void;
  readConfig(): Promise<ReadConfig>;
  config(): Promise<Config>;
  /** Where an option is, or would be: `FILE:LINE`, `FILE, in [SECTION]`. */
  place(section: 'MASTER' | 'SLAVE', option: string): Promise<string>;
  service(): Promise<ServiceSettings | undefined>;
  metadata(): Promise<MasterMetadata | undefined>;
  site(): Promise<Site>;
  farmFile(): Promise<string>;
  /** The SDK with the given keys, and where they come from; throws what is wrong with them. */
  sdk(): Promise<{ readonly sdk: SdkEc2; readonly source: KeySource }>;
  /** The SDK's region; throws `UserError` where there is none. */
  region(): Promise<string>;
  /** The address of EC2, from the SDK's settings. */
  endpoint(): Promise<URL>;
  /** Resolves when AWS accepts the credentials; throws what it says otherwise. */
  authenticated(): Promise<void>;
  account(): Promise<Account>;
  image(): Promise<SlaveImage & { readonly description: Image }>;
  placements(): Promise<readonly Placement[]>;
  close(): void;
};

/** All calls are made at once, and answered over a few connections, so this many may wait for each other. */
const CALLS_IN_A_ROW = 10;

export function createWorld(options: CheckOptions, edges: Edges, patience: Patience): World {
  const { signal, answered } = patience;
  let opened: SdkEc2 | undefined;

  const readConfig = once(async () => {
    const file = options.confFile ?? (await edges.findConfigFile());
    const { text } = await readConfigFile(file);
    return { file, text, document: parseDocument(text), ...parseConfig(file, text) };
  });
  const config = once(async () => {
    const { config: found } = await readConfig().catch(elsewhere('there is no readable configuration'));
    if (found === undefined) throw notChecked('the configuration has mistakes');
    return withOverrides(found, options);
  });
  const service = once(() => serviceSettings(edges.settingsFile));
  const metadata = once(() => edges.readMetadata());
  const site = once(async () => {
    const [known, found] = await Promise.all([config(), metadata()]);
    return siteOf(known, found, edges.hostName);
  });
  const siteElsewhere = () => site().catch(elsewhere('the region and network of this master are not known'));
  const sdk = once(async () => {
    const { keys, source } = await keysOf(options, edges, service);
    const credentials = credentialsFrom(keys);
    const { region: known } = await siteElsewhere();
    opened = await edges.connect({
      // The overall time limit is shorter.
      timeLimit: options.timeLimit * CALLS_IN_A_ROW,
      ...(known !== undefined && { region: known }),
      ...(credentials !== undefined && { credentials }),
    });
    return { sdk: opened, source };
  });
  const region = once(async () => {
    const { region: known } = await siteElsewhere();
    if (known !== undefined) return known;
    const unkeyed = await edges.connect({});
    try {
      return await unkeyed.region();
    } catch {
      throw notChecked('no region is known');
    } finally {
      unkeyed.close();
    }
  });
  const endpoint = once(async () => {
    const where = await region();
    const unkeyed = await edges.connect({ region: where });
    try {
      return await unkeyed.endpoint();
    } catch (error) {
      throw usageError(`the settings of the AWS SDK give no EC2 endpoint in ${where}: ${messageOf(error)}`);
    } finally {
      unkeyed.close();
    }
  });
  const authenticated = once(async () => {
    const { sdk: client } = await sdk();
    await region();
    await client.findCredentials();
    try {
      await client.ec2('DescribeSubnets', { DryRun: true }, { signal }).finally(answered);
    } catch (error) {
      if (!isDryRun(error) && !isDenied(error)) throw error;
    }
  });
  const account = once(async (): Promise<Account> => {
    const { sdk: client } = await sdk().catch(elsewhere('no credentials'));
    const where = await region();
    await client.findCredentials().catch(elsewhere('no credentials'));
    await authenticated().catch(error => {
      throw notChecked(isUnreachable(error) ? 'EC2 does not answer' : 'AWS rejects the credentials');
    });
    const retrying = retryReads(client.ec2, systemClock);
    const ec2: Ec2 = (action, request) => retrying(action, request, { signal }).finally(answered);
    return { ec2, sdk: client, region: where };
  });
  const image = once(async () => {
    const [{ ec2 }, where, { slave }] = await Promise.all([account(), siteElsewhere(), config()]);
    const found = await findImage(ec2, where, slave.imageOwners);
    const { Images = [] } = await ec2('DescribeImages', { ImageIds: [found.imageId] });
    return { ...found, description: Images[0] ?? {} };
  });
  const placements = once(async () => {
    const [{ ec2 }, where, { slave }] = await Promise.all([account(), siteElsewhere(), config()]);
    const { securityGroup } = slave;
    const group =
      securityGroup === undefined ? undefined : await findGivenGroup(ec2, securityGroup, where.vpc);
    return findPlacements(ec2, where, group?.vpcId);
  });

  return {
    options,
    edges,
    signal,
    answered,
    readConfig,
    config,
    place: async (section, option) => {
      const { file, document } = await readConfig();
      const line = findOption(document, section, option)?.number;
      return line === undefined ? `${file}, in [${section}]` : `${file}:${line}`;
    },
    service,
    metadata,
    site,
    farmFile: once(async () => findRenderfarm((await config()).master.renderfarmConf)),
    sdk,
    region,
    endpoint,
    authenticated,
    account,
    image,
    placements,
    close: () => opened?.close(),
  };
}

/** Keys as the balancer would find them, including those in the settings of the service. */
async function keysOf(
  { keys }: CheckOptions,
  { env }: Edges,
  service: () => Promise<ServiceSettings | undefined>,
): Promise<{ readonly keys: Keys; readonly source: KeySource }> {
  const { ACCESS_KEY, SECRET_KEY } = (await service()) ?? {};
  const settings = {
    ...(ACCESS_KEY !== undefined && { accessKey: ACCESS_KEY }),
    ...(SECRET_KEY !== undefined && { secretKey: SECRET_KEY }),
  };
  const found = keysFrom(keys, env);
  if (found.accessKey === undefined && found.secretKey === undefined) {
    const own = keysFrom(settings, env);
    return { keys: own, source: own.accessKey === undefined ? 'sdk' : 'service' };
  }
  if (Object.keys(keys).length > 0) return { keys: found, source: 'options' };
  // Root's environment gets them from there.
  return { keys: found, source: found.secretKey === SECRET_KEY ? 'service' : 'environment' };
}

/** Calls it at most once. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find();
    return found;
  };
}

/** One topic reports what a person can fix; the others only say that they were not checked. */
function elsewhere(reason: string): (error: unknown) => never {
  return error => {
    const isBug = error instanceof Error && !isUserError(error) && !isEc2Error(error) && !isProvider(error);
    throw isBug ? error : notChecked(reason);
  };
}

/** The SDK's own errors about credentials. */
function isProvider(error: Error): boolean {
  return /Provider|Token|SSO/.test(error.name) || isNotChecked(error);
}
