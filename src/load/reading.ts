/** What one answer of mod_status says. */
export type StatusPage = {
  /** Requests since Apache started, ours included. */
  readonly totalAccesses: number;
  /** Seconds since Apache started, by the wall clock of its host. */
  readonly serverUptimeSeconds: number;
  /** When Apache started, as it words it; absent in some versions. */
  readonly restartTime?: string;
  readonly workers?: Workers;
  /** How long all requests have taken together (ms); absent before Apache 2.4.39. */
  readonly totalDuration?: number;
  /** Milliseconds from the request to the answer; unset: none. */
  readonly took?: number;
  readonly logged?: Logged;
};

/** How busy Apache is. The request for the page itself keeps one worker busy. */
export type Workers = {
  readonly busy: number;
  readonly idle: number;
  /** Slots of the scoreboard in which Apache could start, or is starting, a worker; absent without a scoreboard. */
  readonly free?: number;
};

/** What the access log of `load_log` says. */
export type Logged = {
  /** Lines that match `load_match` since the balancer began to follow the log. */
  readonly requests: number;
  /** Why the log cannot be counted now, and what to do. */
  readonly problem?: string;
};

/** What is known when mod_status gave no page. */
export type NoPage = {
  /** Set when the port accepts connections and no answer came in time: why Apache is taken to be overloaded. */
  readonly overloaded?: string;
  /** The access log gives the load without the page, too. */
  readonly logged?: Logged;
};

/** The result of one reading of the load. */
export type Reading = StatusPage | NoPage;

export function isPage(reading: Reading): reading is StatusPage {
  return 'totalAccesses' in reading;
}

/**
 * Reads the load once.
 *
 * @throws {UserError} saying what to put into Apache's configuration, or why there was no answer
 */
export type ReadStatus = () => Promise<Reading>;
