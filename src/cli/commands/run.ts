import path from 'node:path';
import { startInBackground } from '../../daemon/background.ts';
import { killDaemon } from '../../daemon/kill.ts';
import { usageError } from '../../errors.ts';
import { keysOrAsk } from '../credentials.ts';
import type { GivenOptions } from '../main.ts';
import { serve } from '../serve.ts';
import { serveDryRun } from '../serve-dry-run.ts';

/** The options of `run`, checked. */
export type RunOptions = {
  readonly conf?: string;
  readonly pidfile?: string;
  readonly logfile?: string;
  readonly user?: string;
  readonly sshKey?: string;
  readonly verbosity: number;
  readonly logFormat: 'text' | 'json';
  readonly metricsFile?: string;
  /** Looks, and says what would be done. */
  readonly dryRun: boolean;
};

/**
 * `gbrowse-aws-balancer [run]`: the balancer in the foreground, in the background, or its end.
 *
 * @returns the exit status
 */
export async function run(given: GivenOptions): Promise<number> {
  const options = checked(given);
  if (options.dryRun) refuseBeside(given, ['background', 'pidfile', 'kill', 'keep-slaves', 'metrics-file']);
  if (given.kill === true) return kill(options.pidfile, given['keep-slaves'] === true);
  if (given['keep-slaves'] === true) throw usageError('--keep-slaves goes with --kill');
  if (given.role === 'background') return serve({ options, keys: {}, background: true });

  const keys = await keysOrAsk(given);
  if (options.dryRun) return serveDryRun({ options, keys });
  if (given.background !== true) return serve({ options, keys, background: false });
  const print = (message: string) => void process.stderr.write(`${message}\n`);
  const status = await startInBackground({ args: argumentsFor(options), secrets: { ...keys }, print });
  if (status === 0 && options.logfile === undefined) {
    print('warning: started without --logfile, so what the balancer has to say goes nowhere');
  }
  return status;
}

/** A dry run is for somebody who looks on, beside a balancer that may be running: it leaves nothing behind. */
function refuseBeside(given: GivenOptions, names: readonly string[]): void {
  const name = names.find(it => given[it] !== undefined && given[it] !== false && given[it] !== '');
  if (name !== undefined)
    throw usageError(`--dry-run runs in the foreground and only logs, without --${name}`);
}

async function kill(pidfile: string | undefined, keepSlaves: boolean): Promise<number> {
  if (pidfile === undefined) {
    throw usageError('--kill needs the --pidfile that the balancer was started with');
  }
  await killDaemon({ pidfile, keepSlaves, say: message => void process.stderr.write(`${message}\n`) });
  return 0;
}

function checked(given: GivenOptions): RunOptions {
  const verbosity = Number(given.verbosity);
  if (![0, 1, 2, 3].includes(verbosity)) throw usageError('--verbosity takes 0, 1, 2 or 3');
  const logFormat = given['log-format'];
  if (logFormat !== 'text' && logFormat !== 'json') {
    throw usageError('--log-format takes text or json');
  }
  const text = (name: string) =>
    typeof given[name] === 'string' && given[name] !== '' ? given[name] : undefined;
  const metricsFile = text('metrics-file');
  const [conf, pidfile, logfile, user, sshKey] = ['conf', 'pidfile', 'logfile', 'user', 'ssh_key'].map(text);
  return {
    verbosity,
    logFormat,
    dryRun: given['dry-run'] === true,
    ...(conf !== undefined && { conf: path.resolve(conf) }),
    ...(pidfile !== undefined && { pidfile: asGiven(pidfile) }),
    ...(logfile !== undefined && { logfile: path.resolve(logfile) }),
    ...(user !== undefined && { user }),
    ...(sshKey !== undefined && { sshKey }),
    ...(metricsFile !== undefined && { metricsFile: path.resolve(metricsFile) }),
  };
}

/** Absolute, because a daemon's directory is `/`; a slash at the end stays, it says that a directory is meant. */
function asGiven(file: string): string {
  return file.endsWith('/') ? `${path.resolve(file)}/` : path.resolve(file);
}

/** The command line again, without the secrets: for the daemon, and for `ps`. */
export function argumentsFor(options: RunOptions): string[] {
  const { conf, pidfile, logfile, user, sshKey, verbosity, logFormat, metricsFile } = options;
  return [
    'run',
    ...(conf === undefined ? [] : ['--conf', conf]),
    ...(pidfile === undefined ? [] : ['--pidfile', pidfile]),
    ...(logfile === undefined ? [] : ['--logfile', logfile]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(sshKey === undefined ? [] : ['--ssh_key', sshKey]),
    ...(metricsFile === undefined ? [] : ['--metrics-file', metricsFile]),
    '--verbosity',
    String(verbosity),
    '--log-format',
    logFormat,
  ];
}
