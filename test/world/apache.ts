import { type Clock, SECOND } from '../../src/clock.ts';
import { failure } from '../../src/errors.ts';
import { parseStatus } from '../../src/load/mod-status.ts';
import type { ReadStatus } from '../../src/load/reading.ts';
import type { SimulatedApache } from '../fake-aws/apache.ts';

export type ApacheTrouble =
  | 'down'
  | 'hangs'
  | 'wrong page'
  | 'slow'
  | 'times out'
  | 'saturated'
  | 'no descriptors';

/** One look at mod_status never takes longer (ms); see serve.ts. */
const STATUS_LIMIT = 10 * SECOND;
const URL = 'http://localhost/server-status';

/** Reads the page of an Apache in trouble with the production parser, and tells how each look truly goes. */
export function createStatusReader(parts: {
  readonly clock: Clock;
  readonly apache: SimulatedApache;
  readonly trouble: () => ApacheTrouble | undefined;
  readonly pollInterval: () => number;
  readonly onReading: (how: 'begins' | 'ok' | 'failed') => void;
}): ReadStatus {
  const { clock, apache, onReading } = parts;
  return async () => {
    const limit = Math.min(parts.pollInterval(), STATUS_LIMIT);
    const how = parts.trouble();
    onReading('begins');
    try {
      await clock.sleep(how === 'hangs' || how === 'times out' ? limit : how === 'slow' ? 0.9 * limit : 5);
      if (how === 'hangs')
        throw failure(`cannot read the load from ${URL}: no answer within ${limit / SECOND} s`);
      if (how === 'times out') {
        onReading('failed');
        return { overloaded: 'Apache accepts connections and does not answer' };
      }
      if (how === 'no descriptors') throw failure(`cannot read the load from ${URL}: EMFILE`);
      if (how === 'down') throw failure(`cannot read the load from ${URL}: connection refused`);
      const { totalAccesses, serverUptimeSeconds, restartTime } = await apache.readStatus();
      const page =
        how === 'wrong page'
          ? '<html><h1>It works!</h1></html>'
          : `localhost\nRestartTime: ${restartTime}\nServerUptimeSeconds: ${serverUptimeSeconds}\nTotal Accesses: ${totalAccesses}\n${how === 'saturated' ? 'BusyWorkers: 16\nIdleWorkers: 0\nScoreboard: WWWWWWWWWWWWWWWW' : 'BusyWorkers: 1\nIdleWorkers: 15'}\n`;
      const reading = parseStatus(page);
      onReading('ok');
      return reading;
    } catch (error) {
      onReading('failed');
      throw error;
    }
  };
}
