/** The farm as GBrowse sees it: `renderfarm.conf`, and Apache that may have to be told. */
export type Farm = {
  /** The slaves' URLs (`http://10.0.0.5:8101`) that the file lists now; empty when there is no file. */
  read(): Promise<readonly string[]>;
  /**
   * Makes the file list exactly these URLs. Does nothing when it does already.
   *
   * @throws {UserError} when the file cannot be written; it is as it was then
   */
  write(urls: readonly string[]): Promise<void>;
  /**
   * Tells Apache, where a running GBrowse would not see the file by itself.
   *
   * @returns what was done, for the log; undefined when nothing was needed
   * @throws {UserError} when Apache could not be told
   */
  reload(): Promise<string | undefined>;
};

/** Whether a slave answers: an HTTP status, any, from each of its ports within the time limit. Never throws. */
export type Probe = (address: string, ports: readonly number[]) => Promise<boolean>;
