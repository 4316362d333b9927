import type { Clock } from '../../src/clock.ts';
import { failure } from '../../src/errors.ts';
import type { StatusPage } from '../../src/load/reading.ts';
import type { LoadProfile } from './load-profile.ts';

/** An Apache whose mod_status counts a load. */
export type SimulatedApache = {
  /** One look; like a real one it is itself a request, and counts in the next. */
  readonly readStatus: () => Promise<StatusPage>;
  /** Stop and start: the counter and the uptime begin again. (A graceful restart changes neither.) */
  restart(): void;
  /** From now on every look fails so; undefined: it answers again. */
  fail(message: string | undefined): void;
  /** Sets the counter back (or forth) by so many requests, as no Apache should. */
  shiftCounter(requests: number): void;
};

/**
 * mod_status in memory: requests come as the load profile says, from the moment of this call on. Uptime follows the wall
 * clock of the host, as Apache's does; requests come in true time.
 */
export function createSimulatedApache(clock: Clock, load: LoadProfile): SimulatedApache {
  const beginning = clock.monotonic();
  let startedAt = clock.wall();
  let countedFrom = 0;
  let ownRequests = 0;
  let trouble: string | undefined;

  const requestsNow = () => load.requestsUntil(clock.monotonic() - beginning);

  return {
    async readStatus() {
      if (trouble !== undefined) throw failure(trouble);
      const reading: StatusPage = {
        totalAccesses: Math.floor(requestsNow() - countedFrom) + ownRequests,
        // Apache prints 32 bits without a sign: a clock that was set back before its start gives a huge uptime.
        serverUptimeSeconds: Math.floor((clock.wall() - startedAt) / 1000) >>> 0,
        restartTime: apacheTime(startedAt),
      };
      ownRequests++;
      return reading;
    },
    restart() {
      startedAt = clock.wall();
      countedFrom = requestsNow();
      ownRequests = 0;
    },
    fail(message) {
      trouble = message;
    },
    shiftCounter(requests) {
      countedFrom = Math.min(countedFrom - requests, requestsNow());
    },
  };
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** A moment as mod_status words it: `Saturday, 22-Nov-2025 15:31:00 UTC`. */
export function apacheTime(wall: number): string {
  const date = new Date(wall);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const time = date.toISOString().slice(11, 19);
  return `${DAYS[date.getUTCDay()]}, ${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} UTC`;
}
