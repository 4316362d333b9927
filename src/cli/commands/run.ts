import { startInBackground } from '../../daemon/background.ts';
import { killDaemon } from '../../daemon/kill.ts';
import { usageError } from '../../errors.ts';
import { keysOrAsk } from '../ask-keys.ts';
import type { Given } from '../given.ts';
import { serve } from '../serve.ts';

/** Options of a balancer that acts, which make no sense with one that only says what it would do. */
const NOT_BESIDE_DRY_RUN = [
  'background',
  'pidfile',
  'kill',
  'keepSlaves',
  'metricsFile',
  'statusPage',
] as const;

/**
 * `gbrowse-aws-balancer [run]`: runs the balancer in the foreground or in the background, or ends it.
 *
 * @param isBackground whether this is the process that `--background` started
 * @returns the exit status
 */
export async function run(given: Given<'run'>, isBackground: boolean): Promise<number> {
  if (given.dryRun) {
    const other = NOT_BESIDE_DRY_RUN.find(it => given[it] !== undefined && given[it] !== false);
    if (other !== undefined) throw usageError(`--dry-run cannot be combined with ${spelled(other)}`);
  }
  if (given.kill) return kill(given.pidfile, given.keepSlaves);
  if (given.keepSlaves) throw usageError('--keep-slaves can only be used with --kill');
  if (isBackground) return serve({ options: given, keys: {}, background: true });

  const keys = await keysOrAsk(given);
  if (!given.background) return serve({ options: given, keys, background: false });
  const print = (message: string) => void process.stderr.write(`${message}\n`);
  const status = await startInBackground({ args: argumentsFor(given), secrets: { ...keys }, print });
  if (status === 0 && given.logfile === undefined) {
    print('warning: started without --logfile, so the messages of the balancer are lost');
  }
  return status;
}

function spelled(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

async function kill(pidfile: string | undefined, keepSlaves: boolean): Promise<number> {
  if (pidfile === undefined) {
    throw usageError('--kill needs the --pidfile that the balancer was started with');
  }
  await killDaemon({ pidfile, keepSlaves, say: message => void process.stderr.write(`${message}\n`) });
  return 0;
}

/** The options that the daemon is started with, without secrets, which `ps` would show. */
const PASSED_ON = [
  ['conf', 'conf'],
  ['pidfile', 'pidfile'],
  ['logfile', 'logfile'],
  ['user', 'user'],
  ['ssh_key', 'sshKey'],
  ['metrics-file', 'metricsFile'],
  ['status-page', 'statusPage'],
  ['verbosity', 'verbosity'],
  ['log-format', 'logFormat'],
] as const;

/** The command line for the daemon. */
function argumentsFor(given: Given<'run'>): string[] {
  return [
    'run',
    ...PASSED_ON.flatMap(([name, key]) =>
      given[key] === undefined ? [] : [`--${name}`, String(given[key])],
    ),
  ];
}
