import { Agent, get } from 'node:http';

/** People who look at a web site: requests at an even pace, over connections that are kept alive. */
export type Visitors = {
  /** From now on so many requests/s; 0: everybody has gone home. */
  come(requestsPerSecond: number): void;
  stop(): void;
};

export function createVisitors(url: string): Visitors {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  let timer: NodeJS.Timeout | undefined;

  /** By the clock, not by the timer: on a busy machine timers come late, and the pace must not fall. */
  function pace(requestsPerSecond: number): () => void {
    const since = performance.now();
    let visits = 0;
    return () => {
      const due = Math.floor(((performance.now() - since) / 1000) * requestsPerSecond);
      for (; visits < due; visits++) visit();
    };
  }

  function visit(): void {
    get(url, { agent }, answer => answer.resume()).on('error', () => {});
  }

  function come(requestsPerSecond: number): void {
    clearInterval(timer);
    if (requestsPerSecond > 0) timer = setInterval(pace(requestsPerSecond), 500 / requestsPerSecond);
  }

  return {
    come,
    stop() {
      come(0);
      agent.destroy();
    },
  };
}
