/** The farm as GBrowse sees it: `renderfarm.conf`, and Apache, which may have to be reloaded. */
export type Farm = {
  /** The URLs of the balancer's own slaves (`http://10.0.0.5:8101`) that the file lists now; empty when there is no file. */
  read(): Promise<readonly string[]>;
  /**
   * Makes the file list exactly these URLs. Does nothing when it does already.
   *
   * @throws {UserError} when the file cannot be written; it is as it was then
   */
  write(urls: readonly string[]): Promise<void>;
  /**
   * Tells Apache, if a running GBrowse would not see the new file by itself.
   *
   * @returns what was done, for the log; undefined when nothing was needed
   * @throws {UserError} when Apache could not be told
   */
  reload(): Promise<string | undefined>;
};

/**
 * What a probe of a slave found:
 * - `answered`: an HTTP status, any, from each port;
 * - `refused`: a port refused or broke the connection, or what listens there does not speak HTTP: the slave's process is
 *   gone;
 * - `silent`: the connection was accepted and nothing came within the time limit: the slave is busy, or hangs;
 * - `dark`: not even the connection was accepted: the host is gone or not reachable. The kernel of a busy slave does
 *   the same once the queue of connections is full that its process has not accepted, so after `silent` it may mean the
 *   same;
 * - `unknown`: this machine could not ask (no descriptor, no memory, no network, the process was stopped), which says
 *   nothing about the slave.
 */
export type ProbeAnswer = 'answered' | 'refused' | 'silent' | 'dark' | 'unknown';

/** Asks a slave on each of its ports, within a time limit. Never throws. */
export type Probe = (address: string, ports: readonly number[]) => Promise<ProbeAnswer>;
