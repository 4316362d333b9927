import { setTimeout as timer } from 'node:timers/promises';
import { SECOND } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { duration } from '../format/durations.ts';
import { readStatus } from './fetch.ts';
import { followLog, type LogFollower } from './log/follow.ts';
import type { Logged, NoPage, ReadStatus, StatusPage } from './reading.ts';

/** No reading of the status page, or of a log, takes longer (ms). */
const LONGEST_READ = 10 * SECOND;

/** Where the load comes from, with what is asked for it. */
type Source = {
  readonly key: string;
  readonly page: () => Promise<StatusPage | NoPage>;
  readonly log?: LogFollower;
};

/** Reads the load from where the configuration says at that moment. */
export function createLoadReader(current: () => Config): ReadStatus {
  let source: Source | undefined;

  function sourceNow(): Source {
    const { serverStatusUrl: url, pollInterval, loadLog, loadMatch } = current().master;
    const timeLimit = Math.min(pollInterval, LONGEST_READ);
    const key = JSON.stringify([url, timeLimit, loadLog, loadMatch?.source]);
    if (source?.key === key) return source;
    void source?.log?.close().catch(() => {});
    source = {
      key,
      page: readStatus(url, { timeLimit }),
      ...(loadLog !== undefined && { log: limited(followLog(loadLog, new URL(url).pathname, loadMatch)) }),
    };
    return source;
  }

  return async () => {
    const { page, log } = sourceNow();
    if (log === undefined) return await page();
    // With a log the page only says whether Apache is overloaded; the load is known without it.
    const [answer, logged] = await Promise.all([page().catch((): NoPage => ({})), log.read()]);
    return { ...answer, logged };
  };
}

/** Waits no longer for a disk than for a server. */
function limited(log: LogFollower): LogFollower {
  let reading: Promise<Logged> | undefined;
  let last = 0;
  return {
    ...log,
    async read() {
      reading ??= log.read().finally(() => {
        reading = undefined;
      });
      const limit = new AbortController();
      const problem = `load_log cannot be read within ${duration(LONGEST_READ)}: does its disk answer?`;
      const late = timer(LONGEST_READ, { requests: last, problem }, { signal: limit.signal, ref: false });
      late.catch(() => {});
      const logged = await Promise.race([reading, late]);
      limit.abort();
      last = logged.requests;
      return logged;
    },
  };
}
