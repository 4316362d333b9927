import { SECOND } from '../clock.ts';
import { duration } from '../format/durations.ts';
import type { StatusPage } from './reading.ts';

/** A server that answered: when it started by our clock (s), and as it words it. */
type Server = {
  readonly start: number;
  readonly restartTime?: string | undefined;
  /** How far (s) `start` may be off. */
  readonly slack: number;
  readonly lastSeen: number;
};

/** The servers that have answered lately. */
export type Servers = {
  readonly readings: number;
  readonly known: readonly Server[];
  /** Until this reading several servers are assumed to answer in turn. */
  readonly inTurnUntil: number;
};

export const NO_SERVERS: Servers = { readings: 0, known: [], inTurnUntil: 0 };

/** What two pages say together, the earlier one first. */
export type Verdict =
  /** Both are from one server, whose counter went on for this long. */
  | { readonly kind: 'went on'; readonly seconds: number }
  /** Apache was started in between, this long ago. */
  | { readonly kind: 'restarted'; readonly seconds: number }
  /** They are too close to each other to say anything. */
  | { readonly kind: 'too soon' }
  /** They say nothing for now; with `why`, unless that is only a matter of time. */
  | { readonly kind: 'unknown'; readonly why?: string };

/** Uptime is in whole seconds: over less than this a rate would be mostly rounding. */
const SHORTEST_SECONDS = 1;
/** How long Apache must be up after a restart before its counters alone give a load (rounding is then 20 %). */
const SETTLED_SECONDS = 5;
/** A page whose uptime does not change for longer than this comes from a cache. */
const STANDS_STILL_SECONDS = 2.5;
/** For this many readings after the server changed, several are assumed to answer in turn. */
const TURN_MEMORY = 20;

const ASK_APACHE_ITSELF =
  'Point server_status_url at Apache itself:\n    server_status_url = http://localhost/server-status';

function up({ serverUptimeSeconds }: StatusPage): string {
  return duration(serverUptimeSeconds * SECOND);
}

/** Why readings of different servers give no load. */
export function inTurn(before: StatusPage, now: StatusPage): string {
  return `several servers answer in turn (up ${up(before)}, and at the next reading ${up(now)}). ${ASK_APACHE_ITSELF}`;
}

const CACHED = `the page comes from a cache: its uptime does not change. ${ASK_APACHE_ITSELF}`;
const NOT_COUNTED = `our own requests are not counted: a cache or another server answers. ${ASK_APACHE_ITSELF}`;
export const LEAPT = `the count of requests rises faster than any Apache can serve: several servers answer, or the scoreboard is damaged. ${ASK_APACHE_ITSELF}`;
const WENT_BACK = `the count of requests went down although Apache was not restarted: several servers answer, or the scoreboard is damaged. ${ASK_APACHE_ITSELF}`;

/** How far two spans (s), by Apache's clock and by ours, may differ: rounding, slow answers. */
function tolerance(before: StatusPage, now: StatusPage, elapsed: number): number {
  return Math.max(2, 0.2 * elapsed) + ((before.took ?? 0) + (now.took ?? 0)) / 1000;
}

/**
 * Records which server answered. If one comes back after another, there are several: a restart, or a change of the
 * clock, makes a new start time and never an old one.
 *
 * @param at when the page came (monotonic, ms)
 */
export function noteServer(servers: Servers, page: StatusPage, at: number): Servers {
  const readings = servers.readings + 1;
  const start = at / 1000 - page.serverUptimeSeconds;
  const slack = 2 + (page.took ?? 0) / 1000;
  const isIt = (it: Server) =>
    it.restartTime !== undefined && page.restartTime !== undefined
      ? it.restartTime === page.restartTime
      : Math.abs(it.start - start) <= Math.max(slack, it.slack);
  const known = servers.known.find(isIt);
  const cameBack = known !== undefined && known.lastSeen < servers.readings;
  return {
    readings,
    known: [
      { start, slack, restartTime: page.restartTime, lastSeen: readings },
      ...servers.known.filter(it => !isIt(it)),
    ]
      .filter(({ lastSeen }) => readings - lastSeen < TURN_MEMORY)
      .slice(0, TURN_MEMORY),
    inTurnUntil: cameBack ? readings + TURN_MEMORY : servers.inTurnUntil,
  };
}

/**
 * Judges counter, uptime and our own clock together.
 *
 * @param elapsed seconds between the two pages by our clock
 * @param own requests of our own that the later page must have counted
 */
export function judge(
  before: StatusPage,
  now: StatusPage,
  elapsed: number,
  own: number,
  servers: Servers = NO_SERVERS,
): Verdict {
  const accesses = now.totalAccesses - before.totalAccesses;
  const uptime = now.serverUptimeSeconds - before.serverUptimeSeconds;
  const slack = tolerance(before, now, elapsed);
  const steady = Math.abs(uptime - elapsed) <= slack;
  const saysStart = before.restartTime !== undefined && now.restartTime !== undefined;
  const sameStart = saysStart && before.restartTime === now.restartTime;
  if (servers.readings < servers.inTurnUntil) return { kind: 'unknown', why: inTurn(before, now) };
  if (saysStart ? !sameStart : accesses < 0 && !steady) {
    const isNew = saysStart || uptime < 0;
    const up = now.serverUptimeSeconds;
    if (!isNew || up > elapsed + slack) return { kind: 'unknown', why: inTurn(before, now) };
    return up < SETTLED_SECONDS ? { kind: 'unknown' } : { kind: 'restarted', seconds: up };
  }
  if (accesses < 0) return { kind: 'unknown', why: WENT_BACK };
  // Without RestartTime nobody can tell a clock that was set, a restart and another server.
  if (!steady && !saysStart) {
    const why = uptime === 0 && accesses === 0 ? CACHED : inTurn(before, now);
    return { kind: 'unknown', why };
  }
  if (uptime === 0 && accesses === 0 && elapsed > STANDS_STILL_SECONDS)
    return { kind: 'unknown', why: CACHED };
  // Uptime is in whole seconds, so the true change lies within one of it; where in there, our own clock knows. A clock
  // that was set says nothing.
  const seconds = steady ? Math.min(Math.max(elapsed, uptime - 1), uptime + 1) : elapsed;
  if (seconds < SHORTEST_SECONDS) return { kind: 'too soon' };
  if (own > 0 && accesses === 0) return { kind: 'unknown', why: NOT_COUNTED };
  return { kind: 'went on', seconds };
}
