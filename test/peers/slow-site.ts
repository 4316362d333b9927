import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Apache, startApache } from './apache.ts';

/** The modules of Apache that a slow site needs. */
export const SLOW_SITE_MODULES = ['cgid'] as const;

/**
 * A real Apache of 16 workers, at whose `/slow` each request holds a worker for a while, as GBrowse does that draws.
 *
 * @param hold shell commands that take the time; `@DIR@` stands for the server's directory
 */
export async function startSlowSite(hold: string): Promise<Apache> {
  const server = await startApache({
    modules: SLOW_SITE_MODULES,
    lines: [
      'ServerLimit 2',
      'ScriptSock @DIR@/run/cgi.sock',
      'ScriptAlias "/slow" "@DIR@/slow.sh"',
      '<Directory "@DIR@">',
      '  Require all granted',
      '</Directory>',
    ],
  });
  writeFileSync(
    path.join(server.directory, 'slow.sh'),
    `#!/bin/sh\n${hold}\nprintf 'Content-Type: text/plain\\n\\nslow\\n'\n`,
    { mode: 0o755 },
  );
  return server;
}

/** So many people, each of whom asks again once there is an answer. */
export type Flood = {
  /** How many answers there have been. */
  readonly served: () => number;
  /** All of them leave. */
  stop(): Promise<void>;
};

export function startFlood(url: string, people: number): Flood {
  const leave = new AbortController();
  let served = 0;
  async function visitor(): Promise<void> {
    while (!leave.signal.aborted) {
      try {
        const answer = await fetch(url, { signal: leave.signal });
        await answer.text();
        if (answer.ok) served += 1;
      } catch {
        // There are more people than Apache takes, or this one has left.
      }
    }
  }
  const visitors = Array.from({ length: people }, visitor);
  return {
    served: () => served,
    async stop() {
      leave.abort();
      await Promise.all(visitors);
    },
  };
}
