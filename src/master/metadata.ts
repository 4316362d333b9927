import { SECOND } from '../clock.ts';
import { failure, messageOf, systemCode } from '../errors.ts';
import { SLAVE_MARK } from '../spot/user-data.ts';

/** What the EC2 instance metadata service says of the master. */
export type MasterMetadata = {
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly imageId: string;
  readonly privateAddress: string;
  readonly subnetId: string;
  readonly vpcId: string;
  /** The name of its role, if it has one. */
  readonly role?: string;
  /** Its user-data is that of a slave: it was launched by a balancer. */
  readonly isSlave?: true;
};

/** AWS, "Use the Instance Metadata Service": by `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`. */
const ENDPOINTS = { ipv4: 'http://169.254.169.254', ipv6: 'http://[fd00:ec2::254]' } as const;
/** On EC2 the service answers within milliseconds; elsewhere its address usually swallows packets. */
const TIME_LIMIT = SECOND;
const RETRY_DELAY = 0.2 * SECOND;

/**
 * Asks the metadata service (IMDSv2: a token first; newer images refuse anything else). The SDK's own settings hold:
 * `AWS_EC2_METADATA_DISABLED`, `AWS_EC2_METADATA_SERVICE_ENDPOINT`, `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`.
 *
 * @returns undefined where there is no such service: the master does not run on EC2
 * @throws {UserError} when there is one, and it does not answer all questions
 */
export async function readMetadata(env: NodeJS.ProcessEnv): Promise<MasterMetadata | undefined> {
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return undefined;
  const endpoint = metadataEndpoint(env);
  const { ofetch } = await import('ofetch');
  async function ask(method: 'GET' | 'PUT', path: string, headers: Record<string, string>): Promise<string> {
    const text = await ofetch(`${endpoint}/latest/${path}`, {
      method,
      headers,
      timeout: TIME_LIMIT,
      // The first request shows whether there is a service; later ones are repeated when it is busy.
      retry: method === 'GET' ? 3 : 0,
      retryDelay: RETRY_DELAY,
      responseType: 'text',
    });
    return String(text).trim();
  }

  let token: string;
  try {
    token = await ask('PUT', 'api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '300' });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unanswered(error);
  }
  try {
    return await readAll(path => ask('GET', path, { 'x-aws-ec2-metadata-token': token }));
  } catch (error) {
    throw unanswered(error);
  }
}

/** The URL of the metadata service, without a slash at its end, by the SDK's own settings. */
export function metadataEndpoint(env: NodeJS.ProcessEnv): string {
  const mode = env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE?.toLowerCase() === 'ipv6' ? 'ipv6' : 'ipv4';
  const given = env.AWS_EC2_METADATA_SERVICE_ENDPOINT || ENDPOINTS[mode];
  return given.endsWith('/') ? given.slice(0, -1) : given;
}

async function readAll(ask: (path: string) => Promise<string>): Promise<MasterMetadata> {
  const get = (path: string) => ask(`meta-data/${path}`);
  /** Not every instance has it. */
  const ifAny = (path: string) =>
    ask(path).catch((error: unknown) => {
      // Only this says so: a slave whose user-data cannot be read must not be taken for a master.
      if (statusOf(error) === 404) return '';
      throw error;
    });
  const [instanceId, region, availabilityZone, imageId, privateAddress, mac, script, roles] =
    await Promise.all([
      get('instance-id'),
      get('placement/region'),
      get('placement/availability-zone'),
      get('ami-id'),
      get('local-ipv4'),
      get('mac'),
      ifAny('user-data'),
      ifAny('meta-data/iam/security-credentials/'),
    ]);
  const card = `network/interfaces/macs/${mac.toLowerCase()}`;
  const [subnetId, vpcId] = await Promise.all([get(`${card}/subnet-id`), get(`${card}/vpc-id`)]);
  return {
    instanceId,
    region,
    availabilityZone,
    imageId,
    privateAddress,
    subnetId,
    vpcId,
    ...(/^[\w+=,.@-]{1,64}$/.test(roles) && { role: roles }),
    ...(script.includes(SLAVE_MARK) && { isSlave: true }),
  };
}

function unanswered(error: unknown): Error {
  return failure(
    `the metadata service of this EC2 instance does not answer every question: ${messageOf(error)}; try again in a minute`,
    { cause: error },
  );
}

/** No route, refused, timed out, or another web server. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  if (status !== undefined) return status < 500;
  return error.name === 'FetchError' || systemCode(error) !== undefined;
}

/** The HTTP status of a failed request, if there was an answer. */
function statusOf(error: unknown): number | undefined {
  const isAnswer = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
  return isAnswer ? Number(error.statusCode) : undefined;
}
