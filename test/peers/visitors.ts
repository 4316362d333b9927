import { Agent, get } from 'node:http';

/** People who look at a web site: requests at an even pace, over connections that are kept alive. */
export type Visitors = {
  /** From now on so many requests/s; 0: everybody has gone home. */
  come(requestsPerSecond: number): void;
  stop(): void;
};

export function createVisitors(url: string): Visitors {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let timer: NodeJS.Timeout | undefined;

  function visit(): void {
    get(url, { agent }, answer => answer.resume()).on('error', () => {});
  }

  function come(requestsPerSecond: number): void {
    clearInterval(timer);
    if (requestsPerSecond > 0) timer = setInterval(visit, 1000 / requestsPerSecond);
  }

  return {
    come,
    stop() {
      come(0);
      agent.destroy();
    },
  };
}
