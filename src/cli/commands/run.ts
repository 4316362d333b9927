import path from 'node:path';
import { startInBackground } from '../../daemon/background.ts';
import { killDaemon } from '../../daemon/kill.ts';
import { usageError } from '../../errors.ts';
import { askForKeys, type Keys, keysFrom } from '../credentials.ts';
import type { GivenOptions } from '../main.ts';
import { serve } from '../serve.ts';

/** The options of `run`, checked. */
export type RunOptions = {
  readonly conf?: string;
  readonly pidfile?: string;
  readonly logfile?: string;
  readonly user?: string;
  readonly sshKey?: string;
  readonly verbosity: number;
  readonly logFormat: 'text' | 'json';
};

/**
 * `gbrowse-aws-balancer [run]`: the balancer in the foreground, in the background, or its end.
 *
 * @returns the exit status
 */
export async function run(given: GivenOptions): Promise<number> {
  const options = checked(given);
  if (given.kill === true) return kill(options.pidfile, given['keep-slaves'] === true);
  if (given['keep-slaves'] === true) throw usageError('--keep-slaves goes with --kill');
  if (given.role === 'background') return serve({ options, keys: {}, background: true });

  const keys = await keysOrAsk(given);
  if (given.background !== true) return serve({ options, keys, background: false });
  const print = (message: string) => void process.stderr.write(`${message}\n`);
  const status = await startInBackground({ args: argumentsFor(options), secrets: { ...keys }, print });
  if (status === 0 && options.logfile === undefined) {
    print('warning: started without --logfile, so what the balancer has to say goes nowhere');
  }
  return status;
}

async function kill(pidfile: string | undefined, keepSlaves: boolean): Promise<number> {
  if (pidfile === undefined) {
    throw usageError('--kill needs the --pidfile that the balancer was started with');
  }
  await killDaemon({ pidfile, keepSlaves, say: message => void process.stderr.write(`${message}\n`) });
  return 0;
}

/** The keys that were given; asked for when there are none anywhere and somebody is there to ask. */
async function keysOrAsk(given: GivenOptions): Promise<Keys> {
  const keys = keysFrom(given, process.env);
  const complete = keys.accessKey !== undefined && keys.secretKey !== undefined;
  if (complete || !process.stdin.isTTY) return keys;
  const partial = keys.accessKey !== undefined || keys.secretKey !== undefined;
  return partial || !(await sdkFindsSome()) ? askForKeys(keys) : keys;
}

async function sdkFindsSome(): Promise<boolean> {
  const { createSdkEc2 } = await import('../../ec2/sdk.ts');
  const sdk = createSdkEc2({});
  try {
    await sdk.findCredentials();
    return true;
  } catch {
    return false;
  } finally {
    sdk.close();
  }
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
  const [conf, pidfile, logfile, user, sshKey] = ['conf', 'pidfile', 'logfile', 'user', 'ssh_key'].map(text);
  return {
    verbosity,
    logFormat,
    ...(conf !== undefined && { conf: path.resolve(conf) }),
    ...(pidfile !== undefined && { pidfile: asGiven(pidfile) }),
    ...(logfile !== undefined && { logfile: path.resolve(logfile) }),
    ...(user !== undefined && { user }),
    ...(sshKey !== undefined && { sshKey }),
  };
}

/** Absolute, because a daemon's directory is `/`; a slash at the end stays, it says that a directory is meant. */
function asGiven(file: string): string {
  return file.endsWith('/') ? `${path.resolve(file)}/` : path.resolve(file);
}

/** The command line again, without the secrets: for the daemon, and for `ps`. */
export function argumentsFor(options: RunOptions): string[] {
  const { conf, pidfile, logfile, user, sshKey, verbosity, logFormat } = options;
  return [
    'run',
    ...(conf === undefined ? [] : ['--conf', conf]),
    ...(pidfile === undefined ? [] : ['--pidfile', pidfile]),
    ...(logfile === undefined ? [] : ['--logfile', logfile]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(sshKey === undefined ? [] : ['--ssh_key', sshKey]),
    '--verbosity',
    String(verbosity),
    '--log-format',
    logFormat,
  ];
}
