import { judge, LEAPT, NO_SERVERS, noteServer, type Servers } from './believe.ts';
import { type Overload, saturation } from './overload.ts';
import { isPage, type Logged, type Reading, type StatusPage } from './reading.ts';
import { type Counted, withCounted } from './window.ts';

/** What the readings so far say about the load. Moments are monotonic ms. */
export type Load = {
  /** The page that the next one is compared with, and when it was read. */
  readonly baseline?: { readonly reading: StatusPage; readonly at: number };
  /** The count of the access log that the next one is compared with. */
  readonly logBaseline?: { readonly requests: number; readonly at: number };
  /** Status requests of our own since then, the baseline's own among them. */
  readonly ownRequests: number;
  /** Requests per second, never negative; undefined while it is not known. */
  readonly rate?: number;
  /** When `rate` was measured: it is new when this is the time of the latest reading. */
  readonly measuredAt?: number;
  /** What was counted in the last minutes; see `rateOver`. */
  readonly recent: readonly Counted[];
  /** Set while Apache is overloaded. */
  readonly overload?: Overload;
  /** Why the load is unknown, and what to do; for how many readings in a row, and since when. */
  readonly doubt?: { readonly why: string; readonly readings: number; readonly since: number };
  readonly servers: Servers;
  /** A rate that is too high to be used unless the next one is similar. */
  readonly unconfirmed?: number;
};

/** Before the first reading. */
export const NO_LOAD: Load = { ownRequests: 0, recent: [], servers: NO_SERVERS };

/** A rate above this, and ten times the one before, has to be seen twice (requests/s). */
const HARD_TO_BELIEVE = 1000;

/** After so many polls without a load the log says so, and why. */
export const DOUBTS_TO_WARN = 3;

/**
 * Call this before each status request. Apache may or may not have counted a request that failed; it is treated as
 * counted. So an idle server never shows a load that is the balancer's own, and the error is at most one request per
 * poll.
 */
export function noteRequest(load: Load): Load {
  return { ...load, ownRequests: load.ownRequests + 1 };
}

/**
 * Records a reading. With `load_log` the load is the change of the count of its lines; else that of Total Accesses,
 * without our own requests, over the change of the server's uptime since the last reading (see `judge`).
 *
 * After a restart the counters begin at 0: they are the load themselves, once Apache is up for 5 s. Until then, and
 * while the pages cannot be one server's, the load is unknown rather than the one from before.
 *
 * @param at when the reading was taken (monotonic, ms)
 */
export function noteReading(load: Load, reading: Reading, at: number): Load {
  const overloaded = noteOverload(load, reading, at);
  const paged = isPage(reading) ? notePage(overloaded, reading, at) : overloaded;
  if (reading.logged === undefined) return paged;
  // The log gives the load; only the workers of the page count.
  const { baseline, servers, ownRequests } = paged;
  return noteLogged(
    { ...overloaded, ...(baseline !== undefined && { baseline }), servers, ownRequests },
    reading.logged,
    at,
  );
}

function noteOverload(load: Load, reading: Reading, at: number): Load {
  const { overload, ...rest } = load;
  const reason = isPage(reading)
    ? saturation(reading.workers, load.baseline?.reading.workers)
    : reading.overloaded;
  return reason === undefined ? rest : { ...rest, overload: { since: overload?.since ?? at, reason } };
}

function notePage(load: Load, reading: StatusPage, at: number): Load {
  const servers = noteServer(load.servers, reading, at);
  const { rate: _, measuredAt: __, unconfirmed, ...kept } = load;
  // Apache counts a request when it is complete: that of this reading shows in the next.
  const fresh: Load = {
    ...kept,
    servers,
    baseline: { reading, at },
    ownRequests: Math.min(load.ownRequests, 1),
  };
  const { baseline } = load;
  if (baseline === undefined) return fresh;

  const own = Math.max(0, load.ownRequests - 1);
  const elapsed = (at - baseline.at) / 1000;
  const verdict = judge(baseline.reading, reading, elapsed, own, servers);
  switch (verdict.kind) {
    case 'too soon':
      return load;
    case 'unknown':
      return verdict.why === undefined ? fresh : doubted(fresh, verdict.why, at);
    case 'restarted':
      // Nothing of our own to subtract: the request of this very reading is not in its counters yet.
      return measured(fresh, reading.totalAccesses / verdict.seconds, at - verdict.seconds * 1000, at);
    case 'went on': {
      const requests = Math.max(0, reading.totalAccesses - baseline.reading.totalAccesses - own);
      const rate = requests / verdict.seconds;
      const usual = Math.max(load.rate ?? 0, unconfirmed ?? 0);
      if (rate > HARD_TO_BELIEVE && rate > 10 * usual)
        return doubted({ ...fresh, unconfirmed: rate }, LEAPT, at);
      return measured(fresh, rate, baseline.at, at);
    }
  }
}

function noteLogged(load: Load, { requests, problem }: Logged, at: number): Load {
  const { logBaseline } = load;
  const { rate: _, measuredAt: __, ...unknown } = load;
  if (problem !== undefined) {
    const { logBaseline: ___, ...lost } = unknown;
    return doubted(lost, problem, at);
  }
  const fresh = { ...unknown, logBaseline: { requests, at } };
  if (logBaseline === undefined || requests < logBaseline.requests) return fresh;
  if (at - logBaseline.at < 1000) return load;
  const seconds = (at - logBaseline.at) / 1000;
  return measured(fresh, (requests - logBaseline.requests) / seconds, logBaseline.at, at);
}

function measured(load: Load, rate: number, from: number, at: number): Load {
  const { doubt: _, ...believed } = load;
  const recent = withCounted(load.recent, { from, until: at, requests: (rate * (at - from)) / 1000 });
  return { ...believed, rate, measuredAt: at, recent };
}

function doubted(load: Load, why: string, at: number): Load {
  const { readings = 0, since = at } = load.doubt ?? {};
  return { ...load, doubt: { why, readings: readings + 1, since } };
}
