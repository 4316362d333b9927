import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { MINUTE, SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import {
  allProcesses,
  belongsTo,
  commandLineOf,
  environmentOf,
  isStillThere,
  programOf,
  type RunningProcess,
  readProcessFile,
  seesFile,
  startOf,
} from '../os/process.ts';
import { foreignPartOf } from '../os/root-path.ts';
import { run } from '../os/run.ts';
import { unixSocketsSeenBy } from '../os/unix-sockets.ts';

/** A GBrowse that stays in memory from request to request, and so keeps the farm file that it read at its start. */
export type Resident = {
  readonly process: RunningProcess;
  readonly runsAs: 'FastCGI' | 'mod_perl';
  /** The Apache that it runs under: the parent of Apache's processes. */
  readonly apache: RunningProcess;
};

/** `gbrowse` and its sisters (`gbrowse_img`), as CGI programs; not the slave, and not this balancer. */
const SCRIPT = /(^|\/)gbrowse(_(?!slave)[a-z]+)?(\.(pl|cgi|fcgi))?$/;
/** What the kernel calls such a process: the script's own name, or Perl's. */
const SCRIPT_PROCESS = /^(gbrowse|perl)/;
/** Apache's program by the names that distributions give it; not its control script, which may be its parent. */
const APACHE = /^(apache2?|httpd2?)([.-](prefork|worker|event|itk))?$/;
/** mod_perl gives Apache's processes a name of its own: the path of the program, cut off. */
const APACHE_BY_PATH = /^\/.*\/(apach|httpd)/;
/**
 * Under mod_perl, GBrowse is code inside Apache's own processes. Then they have GD in memory, the library that GBrowse
 * draws with; only another Perl application that draws could be another reason for that.
 */
const GD = /\/auto\/GD\/GD\.so( \(deleted\))?$/m;
/** No CGI request lives longer: three attempts of 45 s at a slave, and some time for drawing. */
const LONGEST_REQUEST = 5 * MINUTE;
const CHECK_LIMIT = 20 * SECOND;
const REMEDY = 'set [MASTER] reload_command to the command that reloads it, or to "none"';

function isApache({ pid, name }: RunningProcess): boolean {
  return (
    APACHE.test(name) || (APACHE_BY_PATH.test(name) && APACHE.test(basename(commandLineOf(pid)[0] ?? '')))
  );
}

/** The topmost of the Apache processes that a process descends from. */
function apacheOf(
  process: RunningProcess,
  all: ReadonlyMap<number, RunningProcess>,
): RunningProcess | undefined {
  let found: RunningProcess | undefined;
  let parent = all.get(process.parent);
  for (; parent !== undefined && isApache(parent); parent = all.get(parent.parent)) found = parent;
  return found;
}

/**
 * Whether a process's standard input is a socket that waits for connections, as FastCGI has it; CGI has a pipe, a
 * connection or nothing. Undefined when we may not look.
 */
function listensOnStdin(pid: number): boolean | undefined {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/0`)) ?? [];
    return inode !== undefined && unixSocketsSeenBy(pid).some(it => it.listens && it.inode === inode);
  } catch (error) {
    return systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM' ? undefined : false;
  }
}

/** If we may not look, a program that has lived longer than any request counts as FastCGI. */
function isFastCgi(process: RunningProcess, now: number): boolean {
  if (!SCRIPT_PROCESS.test(process.name)) return false;
  if (!commandLineOf(process.pid).some(arg => SCRIPT.test(arg))) return false;
  return listensOnStdin(process.pid) ?? now - startOf(process) > LONGEST_REQUEST;
}

/**
 * Every GBrowse that stays in memory under an Apache. Only name and parent of other processes are read, and details
 * only of Apache's own, so that processes of other users make this neither wrong nor slow. Only root sees what another
 * user's process does.
 *
 * @param now wall clock ms
 */
export function findResidents(now: number): readonly Resident[] {
  const all = allProcesses();
  const found: Resident[] = [];
  for (const process of all.values()) {
    const apache = apacheOf(process, all);
    if (apache === undefined) continue;
    if (isFastCgi(process, now)) found.push({ process, runsAs: 'FastCGI', apache });
    else if (isApache(process) && GD.test(readProcessFile(process.pid, 'maps') ?? ''))
      found.push({ process, runsAs: 'mod_perl', apache });
  }
  return found;
}

/** The parents of every Apache's processes on this machine. */
export function findApaches(): readonly RunningProcess[] {
  const all = allProcesses();
  return [...all.values()].filter(process => isApache(process) && apacheOf(process, all) === undefined);
}

/**
 * Makes sure that an Apache can be told to restart: our user started it, and its configuration has no mistake.
 *
 * @param apache its parent process
 * @throws {UserError} when it cannot
 */
export async function assertRestartable({ pid }: RunningProcess): Promise<void> {
  const uid = process.getuid?.() ?? -1;
  if (!belongsTo(pid, uid)) {
    throw failure(`Apache (pid ${pid}) runs as another user, so it cannot be told to reload; ${REMEDY}`);
  }
  const [program, env, args] = [programOf(pid), environmentOf(pid), commandLineOf(pid)];
  if (program === undefined || env === undefined || !seesFile(pid, program)) {
    throw failure(
      `Apache (pid ${pid}) has just ended or runs in a container of its own, so it cannot be told to reload; ${REMEDY}`,
    );
  }
  // A process with Apache's name may be another program.
  if (!APACHE.test(basename(program))) {
    throw failure(
      `process ${pid} is called Apache, but runs ${program}, so it is not told to reload; ${REMEDY}`,
    );
  }
  const foreign = uid === 0 ? await foreignPartOf(program, 'content') : undefined;
  if (foreign !== undefined) {
    throw failure(
      `Apache (pid ${pid}) was not told to reload, because users other than root can change ${foreign.path}; ${REMEDY}`,
    );
  }
  const configuration = args.slice(1).filter((arg, at, all) => arg !== '-k' && all[at - 1] !== '-k');
  await run([program, ...configuration, '-t'], {
    timeLimit: CHECK_LIMIT,
    env,
    what: `Apache (pid ${pid}) was not told to reload, for the check of its configuration (${program} -t)`,
  });
}

/**
 * Tells one Apache to restart gracefully, as `apachectl graceful` does: the check of the configuration first, because
 * an Apache that reloads a broken one ends; then SIGUSR1. Not with apachectl itself: on a host with several Apaches it
 * signals the default one, and it starts an Apache that was just stopped.
 *
 * @param apache its parent process
 * @throws {UserError} when the configuration has a mistake, or Apache is not ours to signal
 */
export async function restartGracefully(apache: RunningProcess): Promise<void> {
  await assertRestartable(apache);
  if (isStillThere(apache)) process.kill(apache.pid, 'SIGUSR1');
}
