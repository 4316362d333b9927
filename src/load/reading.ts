/** What one look at Apache's mod_status says. */
export type Reading = {
  /** Requests since Apache started, ours included. */
  readonly totalAccesses: number;
  /** Seconds since Apache started, by the wall clock of its host. */
  readonly serverUptimeSeconds: number;
  /** When Apache started, as it words it; absent in some versions. */
  readonly restartTime?: string;
};

/**
 * Looks at mod_status once.
 *
 * @throws {UserError} saying what to put into Apache's configuration, or why there was no answer
 */
export type ReadStatus = () => Promise<Reading>;
