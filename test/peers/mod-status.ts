import { once } from 'node:events';
import { createServer } from 'node:http';

/** A page of mod_status whose load a test sets; for tests that are not about Apache. */
export type ModStatus = {
  readonly url: string;
  /** Requests/s from now on. */
  load(requestsPerSecond: number): void;
  stop(): Promise<void>;
};

export async function startModStatus(requestsPerSecond = 0): Promise<ModStatus> {
  const startedAt = Date.now();
  let rate = requestsPerSecond;
  let since = startedAt;
  let visits = 0;
  let own = 0;

  function accesses(): number {
    const now = Date.now();
    visits += ((now - since) / 1000) * rate;
    since = now;
    return Math.floor(visits) + own;
  }

  const server = createServer((_request, response) => {
    const uptime = Math.floor((Date.now() - startedAt) / 1000);
    response.setHeader('content-type', 'text/plain; charset=ISO-8859-1');
    response.end(
      `localhost\nServerVersion: Apache/2.4.71 (Debian)\nServerUptimeSeconds: ${uptime}\nTotal Accesses: ${accesses()}\nUptime: ${uptime}\nBusyWorkers: 1\nIdleWorkers: 7\n`,
    );
    own += 1;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    url: `http://127.0.0.1:${address.port}/server-status`,
    load(next) {
      accesses();
      rate = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
