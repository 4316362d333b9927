import { once } from 'node:events';
import { createServer } from 'node:http';

/** EC2's instance metadata service, version 2 alone: what comes without a token is refused. */
export type Imds = {
  readonly endpoint: string;
  /** Paths that were asked for without a token. */
  readonly refused: readonly string[];
  stop(): Promise<void>;
};

export type ImdsFacts = {
  readonly instanceId: string;
  readonly region: string;
  readonly zone: string;
  readonly image: string;
  readonly address: string;
  readonly subnet: string;
  readonly vpc: string;
  readonly userData?: string;
  /** A path whose requests get no answer: the connection is closed. */
  readonly drops?: string;
  /** Of the instance's role `GBrowseMaster`. */
  readonly credentials?: {
    readonly accessKey: string;
    readonly secretKey: string;
    readonly sessionToken: string;
  };
};

const TOKEN = 'AQAEAtoken';
const MAC = '0e:49:61:0f:c3:11';

/** @param at where it listens; a port of its own on loopback, if it is not the real address */
export async function startImds(
  facts: ImdsFacts,
  at: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<Imds> {
  const { credentials } = facts;
  const pages: Record<string, string> = {
    'instance-id': facts.instanceId,
    'placement/region': facts.region,
    'placement/availability-zone': facts.zone,
    'ami-id': facts.image,
    'local-ipv4': facts.address,
    mac: MAC,
    [`network/interfaces/macs/${MAC}/subnet-id`]: facts.subnet,
    [`network/interfaces/macs/${MAC}/vpc-id`]: facts.vpc,
    ...(facts.userData !== undefined && { '/latest/user-data': facts.userData }),
    ...(credentials && {
      'iam/security-credentials/': 'GBrowseMaster',
      'iam/security-credentials/GBrowseMaster': JSON.stringify({
        Code: 'Success',
        Type: 'AWS-HMAC',
        AccessKeyId: credentials.accessKey,
        SecretAccessKey: credentials.secretKey,
        Token: credentials.sessionToken,
        Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString(),
      }),
    }),
  };
  const refused: string[] = [];
  const server = createServer(({ method, url = '', headers }, response) => {
    if (method === 'PUT' && url === '/latest/api/token') {
      response.writeHead('x-aws-ec2-metadata-token-ttl-seconds' in headers ? 200 : 400, {
        'x-aws-ec2-metadata-token-ttl-seconds': '300',
      });
      response.end(TOKEN);
      return;
    }
    if (url === facts.drops) {
      response.destroy();
      return;
    }
    const page = pages[url.replace('/latest/meta-data/', '')];
    const allowed = headers['x-aws-ec2-metadata-token'] === TOKEN;
    if (!allowed) refused.push(url);
    response.writeHead(allowed ? (page === undefined ? 404 : 200) : 401);
    response.end(allowed ? page : '');
  }).listen(at.port, at.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    endpoint: `http://${at.host}:${address.port}`,
    refused,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
