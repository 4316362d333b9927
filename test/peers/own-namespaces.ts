/**
 * A test file that imports this first runs in process and mount namespaces of its own: what it starts ends with it, and it
 * sees no process of the machine. Where that cannot be, `notAlone` says why, and it goes on as it is.
 */
import { existsSync } from 'node:fs';

const INSIDE = 'SYNC_TEST_INSIDE';
const UNSHARE = '/usr/bin/unshare';

/** What `describe(…, { skip })` takes. */
export const notAlone: string | false =
  process.getuid?.() !== 0 ? 'needs root' : !existsSync(UNSHARE) && 'needs util-linux';

if (notAlone === false && process.env[INSIDE] === undefined) {
  const environment = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  process.execve?.(
    UNSHARE,
    [
      ...['unshare', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child'],
      ...[process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    ],
    { ...Object.fromEntries(environment), [INSIDE]: '1' },
  );
}
