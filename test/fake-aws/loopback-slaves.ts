import { createServer, type Server } from 'node:http';
import type { Ec2Settings } from './ec2/settings.ts';
import type { SimulatedSlaves } from './slaves.ts';

/** A simulated network whose addresses are the machine's own: a listener can really stand at each of them. */
export const LOOPBACK_NETWORK: Pick<Ec2Settings, 'subnets' | 'publicCidr'> = {
  subnets: [
    { id: 'subnet-0a6c1d9e5b3f80a01', zone: 'us-west-2a', cidr: '127.100.0.0/20' },
    { id: 'subnet-0b7d2eaf6c4091b02', zone: 'us-west-2b', cidr: '127.100.16.0/20' },
    { id: 'subnet-0c8e3fb07d51a2c03', zone: 'us-west-2c', cidr: '127.100.32.0/20' },
  ],
  publicCidr: '127.101.0.0/16',
};

/** Real listeners for simulated slaves. */
export type LoopbackSlaves = {
  /**
   * Opens a port wherever a slave answers now and closes those of slaves that do not any more. To be called again and
   * again; two calls at a time are one.
   *
   * @throws when a port cannot be opened (in use; no such loopback address on this system)
   */
  sync(): Promise<void>;
  /** Where somebody listens, `ADDRESS:PORT`. */
  listening(): readonly string[];
  /** Closes all of them. */
  close(): Promise<void>;
};

/** Slaves that answer as gbrowse_slave does: `HEAD /` with 403. Those that hang take the connection and say nothing. */
export function createLoopbackSlaves(slaves: SimulatedSlaves, ports: readonly number[]): LoopbackSlaves {
  const servers = new Map<string, Server>();
  let underWay: Promise<void> | undefined;

  async function syncOnce(): Promise<void> {
    const wanted = new Map(
      slaves
        .listening()
        .flatMap(({ instance, hangs }) =>
          [instance.privateAddress, instance.publicAddress ?? '']
            .filter(address => address.startsWith('127.'))
            .flatMap(address =>
              ports.map(port => [keyOf(address, port, hangs), { address, port, hangs }] as const),
            ),
        ),
    );
    const surplus = [...servers].filter(([key]) => !wanted.has(key));
    await Promise.all(surplus.map(([key, server]) => closeServer(key, server)));
    const missing = [...wanted].filter(([key]) => !servers.has(key));
    await Promise.all(
      missing.map(async ([key, { address, port, hangs }]) => {
        servers.set(key, await open(address, port, hangs));
      }),
    );
  }

  async function closeServer(key: string, server: Server): Promise<void> {
    servers.delete(key);
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  return {
    sync() {
      underWay ??= syncOnce().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    listening: () => Array.from(servers.keys(), key => key.replace(/ .*/, '')),
    async close() {
      await underWay?.catch(() => undefined);
      await Promise.all([...servers].map(([key, server]) => closeServer(key, server)));
    },
  };
}

function keyOf(address: string, port: number, hangs: boolean): string {
  return `${address}:${port}${hangs ? ' hangs' : ''}`;
}

function open(address: string, port: number, hangs: boolean): Promise<Server> {
  const server = createServer((_, response) => {
    if (hangs) return;
    response.writeHead(403, 'REQUEST DATASOURCE', { Connection: 'close' }).end();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}
