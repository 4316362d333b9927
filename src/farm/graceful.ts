import { SECOND } from '../clock.ts';
import { failure } from '../errors.ts';
import { belongsTo, environmentOf, type Process, processOf, programOf, seesFile } from './processes.ts';
import { run } from './run.ts';

const TIME_LIMIT = 60 * SECOND;
const REMEDY = 'Set [MASTER] reload_command to the command that reloads it, or to "none"';

/**
 * Makes sure that an Apache can be told to restart: it is ours to signal, and its configuration has no mistake.
 *
 * @param apache its parent process
 * @throws {UserError} when it cannot
 */
export async function assertRestartable(apache: Process): Promise<void> {
  const { pid, args } = apache;
  // What runs below is that process's program with that process's environment: never another user's, or whoever names
  // a process "apache2" has it run with our rights.
  await assertOurs(apache);
  const [program, env] = await Promise.all([programOf(pid), environmentOf(pid)]);
  if (program === undefined || env === undefined || !(await seesFile(pid, program))) {
    throw failure(
      `Apache (pid ${pid}) has just ended or runs in a container of its own, so it cannot be told to reload. ${REMEDY}`,
    );
  }
  const configuration = args.slice(1).filter((arg, at, all) => arg !== '-k' && all[at - 1] !== '-k');
  await run([program, ...configuration, '-t'], {
    timeLimit: TIME_LIMIT,
    env,
    what: `Apache (pid ${pid}) was not told to reload, for the check of its configuration (${program} -t)`,
  });
}

/**
 * Makes sure that an Apache was started by the user that we are.
 *
 * @throws {UserError} when it was not
 */
export async function assertOurs({ pid }: Process): Promise<void> {
  if (await belongsTo(pid, process.getuid?.() ?? -1)) return;
  throw failure(`Apache (pid ${pid}) runs as another user, so it cannot be told to reload. ${REMEDY}`);
}

/**
 * Tells one Apache to restart gracefully, as `apachectl graceful` does: the check of the configuration first, since an
 * Apache that is told to take up a broken one ends, then SIGUSR1. Not by apachectl itself: with several Apaches on a
 * host that tells the default one, and it starts an Apache that was just stopped.
 *
 * @param apache its parent process
 * @throws {UserError} when the configuration has a mistake, or Apache is not ours to signal
 */
export async function restartGracefully(apache: Process): Promise<void> {
  const { pid } = apache;
  await assertRestartable(apache);
  if ((await processOf(pid))?.startTicks !== apache.startTicks) return;
  process.kill(pid, 'SIGUSR1');
}
