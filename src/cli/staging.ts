import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isSea } from 'node:sea';
import { systemClock } from '../clock.ts';
import { surviveClosedTerminal } from '../daemon/signals.ts';
import { isEc2Error } from '../ec2/errors.ts';
import { explain } from '../ec2/explain.ts';
import { failure, isUserError } from '../errors.ts';
import { findExternalAddress } from '../master/external-address.ts';
import { findProgram, runCommand } from '../os/command.ts';
import type { StagingCommand } from '../staging/alone.ts';
import { createReport } from '../staging/report.ts';
import type { GivenTools } from '../staging/tools.ts';
import { type Connected, connectMaster } from './connect.ts';
import type { Given } from './given.ts';

/** Options that are given again to the same command as root. */
const PASSED_ON = ['conf', 'mysql', 'postgres', 'keep', 'from', 'script', 'verbosity'] as const;

type AnyGiven = Given<'sync'> | Given<'image'>;

/**
 * Runs a command that works with a temporary instance: as root where that can be, and cleaning up behind a signal.
 *
 * @returns the exit status
 */
export async function runStaging(
  command: StagingCommand,
  given: AnyGiven,
  work: (connected: Connected, region: string, tools: GivenTools) => Promise<void>,
): Promise<number> {
  if (process.getuid?.() !== 0 && !given.dryRun && (await maySudo())) {
    return await throughSudo(command, given);
  }
  surviveClosedTerminal();
  const report = createReport(process.stdout, systemClock, given.verbosity);
  const connected = await connectMaster(given, { image: command !== 'image' });
  const { warnings, sdk } = connected;
  const ending = stopBySignal(command, report.warn);
  try {
    for (const warning of warnings) report.warn(warning);
    await work(connected, await sdk.region(), {
      ec2: sdk.ec2,
      clock: systemClock,
      report,
      signal: ending.signal,
      findAddress: () => findExternalAddress(),
    });
    return 0;
  } catch (error) {
    // The error of an interrupted step does not matter.
    if (ending.signal.aborted && !isUserError(error)) throw ending.signal.reason;
    if (isEc2Error(error)) throw failure(explain(error), { cause: error });
    throw error;
  } finally {
    ending.forget();
    sdk.close();
  }
}

/** The first signal ends the work and cleans up; the second does not wait for that. */
function stopBySignal(
  command: StagingCommand,
  warn: (line: string) => void,
): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      if (name === 'SIGHUP') return;
      warn(
        `${name} again: what is left in EC2 is removed by the next ${command}, or by gbrowse-aws-balancer gc --yes`,
      );
      process.exit(1);
    }
    controller.abort(failure(`interrupted (${name}); nothing was changed in the configuration file`));
  };
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    forget: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}

/** Whether sudo allows it, or can ask for a password. */
async function maySudo(): Promise<boolean> {
  if (findProgram('sudo') === undefined) return false;
  if (process.stdin.isTTY) return true;
  return (await runCommand(['sudo', '-n', 'true'])).status === 0;
}

/** What else root needs from our environment. */
const KEPT =
  /^(AWS_|EC2_|GBROWSE_(CONF|MASTER)$|HTTPS?_PROXY$|https?_proxy$|NO_PROXY$|no_proxy$|NO_COLOR$|TERM$|LANG$|LC_)/;

/** Runs the same command as root. Keys are passed in the environment, not on the command line. */
async function throughSudo(command: StagingCommand, given: AnyGiven): Promise<number> {
  const { accessKey, secretKey } = given;
  const home = (name: string) => path.join(homedir(), '.aws', name);
  const env: NodeJS.ProcessEnv = {
    ...(existsSync(home('credentials')) && { AWS_SHARED_CREDENTIALS_FILE: home('credentials') }),
    ...(existsSync(home('config')) && { AWS_CONFIG_FILE: home('config') }),
    ...process.env,
    ...(accessKey !== undefined && { EC2_ACCESS_KEY: accessKey }),
    ...(secretKey !== undefined && { EC2_SECRET_KEY: secretKey }),
  };
  const kept = Object.keys(env).filter(name => KEPT.test(name));
  const words = isSea() ? [] : process.argv.slice(1, 2);
  const values: Readonly<Record<string, unknown>> = given;
  const options = PASSED_ON.flatMap(name =>
    values[name] === undefined ? [] : [`--${name}`, String(values[name])],
  );
  const child = spawn(
    'sudo',
    [`--preserve-env=${kept.join(',')}`, '--', process.execPath, ...words, command, ...options],
    { env, stdio: 'inherit' },
  );
  // The terminal signals the child as well, which has to clean up.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill(name));
  const [status] = await once(child, 'exit');
  return typeof status === 'number' ? status : 1;
}
