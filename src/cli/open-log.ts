import { credentialsIn } from '../daemon/environment.ts';
import { surviveClosedTerminal } from '../daemon/signals.ts';
import { forJournal } from '../daemon/systemd.ts';
import { createLog, type OpenLog } from '../log/create.ts';
import type { Keys } from '../master/keys.ts';
import type { Given } from './given.ts';

/** The log for the options of `run`; in the foreground it goes to standard error as well. */
export function openLog(options: Given<'run'>, keys: Keys, foreground: boolean): OpenLog {
  surviveClosedTerminal();
  return createLog({
    verbosity: options.verbosity,
    format: options.logFormat,
    secrets: secretsOf(keys),
    ...(options.logfile !== undefined && { file: options.logfile }),
    ...(foreground && { stream: forJournal(process.stderr, process.env) }),
  });
}

/** What no log line may show. */
export function secretsOf(keys: Keys): readonly (string | undefined)[] {
  return [keys.secretKey, keys.sessionToken, ...credentialsIn(process.env)];
}
