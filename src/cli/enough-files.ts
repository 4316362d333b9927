import { failure } from '../errors.ts';
import { readBeginning } from '../os/read-beginning.ts';

/** What a run needs: its programs and sockets, and Node.js's own 20 or so. */
const FEWEST = 64;

/**
 * Makes sure that this process may open the files that it needs. Below about 22, Node.js itself does not start.
 *
 * @throws {UserError} naming the limit
 */
export function assertEnoughFiles(limits = readBeginning('/proc/self/limits', 4096) ?? ''): void {
  const [, limit] = /^Max open files +(\d+) /m.exec(limits) ?? [];
  if (limit === undefined || Number(limit) >= FEWEST) return;
  throw failure(
    `this process may open only ${limit} files, and needs ${FEWEST} at least; raise the limit (ulimit -n 1024, for a systemd ` +
      'service LimitNOFILE=) and start it again',
  );
}
