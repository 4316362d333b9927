import { Agent } from 'node:https';
import type { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { SECOND } from '../clock.ts';
import { systemCode } from '../errors.ts';
import { readAnswer } from './answer.ts';
import type { Ec2, Ec2Action, Ec2Actions } from './api.ts';
import { COMMANDS, EC2Client } from './commands.ts';
import { Ec2Error, FOREIGN_ANSWER, isEc2Error, NO_ANSWER } from './errors.ts';
import { isComplete } from './required.ts';

/** The most that one attempt may take: the balancer's rounds go on meanwhile, and the next one tries again. */
const TIME_LIMIT = 20 * SECOND;
const CONNECT_LIMIT = 5 * SECOND;

/** Longest message of EC2's that is kept, characters. */
const LONGEST_MESSAGE = 2000;

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

export type SdkSettings = {
  /** Unset: the SDK's own chain (`AWS_REGION`, the profile). */
  readonly region?: string;
  /** Unset: the SDK's own chain (environment, shared files, SSO, instance role). */
  readonly credentials?: Credentials;
  /** The most (ms) that one call may take. */
  readonly timeLimit?: number;
};

export type SdkEc2 = {
  readonly ec2: Ec2;
  /**
   * The region that calls go to.
   *
   * @throws when neither the settings nor the SDK's chain name one
   */
  region(): Promise<string>;
  /**
   * Finds credentials once, without a call to EC2.
   *
   * @returns the access key's id
   * @throws when there are none
   */
  findCredentials(): Promise<string>;
  /**
   * Where the credentials were found, in the SDK's names (`CREDENTIALS_ENV_VARS`, `CREDENTIALS_IMDS`); empty when it does
   * not say.
   *
   * @throws when there are none
   */
  credentialSources(): Promise<readonly string[]>;
  /**
   * The headers of a signed POST to another service of AWS, in the same region.
   *
   * @param service as it is named in signatures: `sts`
   * @param body of the type application/x-www-form-urlencoded
   */
  signedHeaders(service: string, url: URL, body: string): Promise<Readonly<Record<string, string>>>;
  /**
   * Where calls go: what the SDK makes of its settings (`AWS_ENDPOINT_URL`, `endpoint_url` of a profile, FIPS and
   * dual-stack endpoints), else of the region.
   *
   * @throws when neither the settings nor the SDK's chain name a region, or an endpoint is not one
   */
  endpoint(): Promise<URL>;
  /** Closes the connections. */
  close(): void;
};

/**
 * EC2 over the wire. It makes one attempt per call (`retry.ts` makes more), and accepts an answer only when it comes
 * from EC2 and is complete.
 */
export function createSdkEc2(settings: SdkSettings): SdkEc2 {
  const { timeLimit = TIME_LIMIT } = settings;
  const client = new EC2Client({
    maxAttempts: 1,
    ...(settings.region === undefined ? {} : { region: settings.region }),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    requestHandler: {
      connectionTimeout: CONNECT_LIMIT,
      requestTimeout: timeLimit,
      throwOnRequestTimeout: true,
      // The SDK ignores HTTPS_PROXY; Node's agent reads it.
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 20, proxyEnv: process.env }),
    },
  });

  // It would prepare every answer for a log that nobody reads.
  client.middlewareStack.remove('loggerMiddleware');

  async function call<A extends Ec2Action>(
    action: A,
    request: Ec2Actions[A][0],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Ec2Actions[A][1]> {
    const limit = AbortSignal.timeout(timeLimit);
    const abortSignal = options?.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    // The relation between an action and its command cannot be said in types; COMMANDS is checked above.
    const Command = COMMANDS[action] as new (request: unknown) => DescribeInstancesCommand;
    const command = new Command(request);
    command.middlewareStack.add(
      next => async args => {
        const result = await next(args);
        await readAnswer(action, result.response, abortSignal);
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'readAnswer' },
    );
    try {
      // The SDK does not heed the signal while it looks for credentials.
      const answer = (await Promise.race([
        client.send(command, { abortSignal }),
        aborted(abortSignal),
      ])) as Ec2Actions[A][1];
      if (isComplete(action, answer)) return answer;
      throw new Ec2Error(action, FOREIGN_ANSWER, 'the answer lacks a field that every answer of EC2 has');
    } catch (error) {
      throw toEc2Error(action, error);
    }
  }

  return {
    ec2: call,
    region: () => client.config.region(),
    findCredentials: async () => (await client.config.credentials()).accessKeyId,
    credentialSources: async () => {
      const found = await client.config.credentials();
      const sources = '$source' in found ? found.$source : undefined;
      return typeof sources === 'object' && sources !== null ? Object.keys(sources) : [];
    },
    signedHeaders: async (service, url, body) => {
      const signingRegion = await client.config.region();
      // A client stays with the service for which it signed first.
      const other = new EC2Client({ region: signingRegion, credentials: client.config.credentials });
      const { signer: signerFor } = other.config;
      const scheme = { name: 'sigv4', signingName: service, signingRegion, properties: {} };
      const signer = typeof signerFor === 'function' ? await signerFor(scheme) : signerFor;
      other.destroy();
      const query = Object.fromEntries(url.searchParams);
      const { headers } = await signer.sign({
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query,
        headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      return headers;
    },
    endpoint: async () => {
      // The SDK determines it while it prepares a request, which is not sent. The keys sign nothing.
      const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
      const other = new EC2Client({ region: client.config.region, credentials });
      const ended = new Error('the request is not to be sent');
      let found: URL | undefined;
      other.middlewareStack.add(
        () =>
          async ({ request }) => {
            found = urlOf(request);
            throw ended;
          },
        { step: 'build' },
      );
      await other.send(new COMMANDS.DescribeSubnets({})).catch((error: unknown) => {
        if (error !== ended) throw error;
      });
      other.destroy();
      if (found === undefined) throw new Error('the AWS SDK has prepared no request');
      return found;
    },
    close: () => client.destroy(),
  };
}

/** The address of a request of the SDK's. */
function urlOf(request: unknown): URL | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  if (!('protocol' in request && 'hostname' in request && 'path' in request)) return undefined;
  const port = 'port' in request && request.port !== undefined ? `:${request.port}` : '';
  return new URL(`${request.protocol}//${request.hostname}${port}${request.path}`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** An error of the SDK: one of EC2's has an HTTP status and EC2's code as its name, any other means that no answer came. */
function toEc2Error(action: string, error: unknown): Ec2Error {
  if (isEc2Error(error)) return error;
  if (!(error instanceof Error)) return new Ec2Error(action, NO_ANSWER, String(error));
  const httpStatus = httpStatusOf(error);
  if (httpStatus !== undefined && '$fault' in error && error.name !== 'Error') {
    return new Ec2Error(action, error.name, error.message.slice(0, LONGEST_MESSAGE), httpStatus);
  }
  if (error.name === 'CredentialsProviderError') return new Ec2Error(action, error.name, error.message);
  if (httpStatus !== undefined) {
    return new Ec2Error(action, FOREIGN_ANSWER, `the answer cannot be read: ${error.message}`, httpStatus);
  }
  return new Ec2Error(action, NO_ANSWER, plainMessage(error));
}

function httpStatusOf(error: Error): number | undefined {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function plainMessage(error: Error): string {
  // The SDK calls a broken connection a TimeoutError too, so the system's code comes first.
  const code = systemCode(error);
  if (code !== undefined && BROKEN.has(code)) return `the connection broke (${code})`;
  if (error.name === 'TimeoutError') return 'no answer within the time limit';
  if (error instanceof AggregateError) return error.errors.map(String).join('; ');
  return error.message === '' ? error.name : error.message;
}

const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
