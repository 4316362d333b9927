import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { failure } from '../../errors.ts';
import { findProgram, type Rights, runCommand } from '../../os/command.ts';
import { belongsTo, findProcess, programOf, readProcessFile } from '../../os/process.ts';
import { readSmall } from '../../staging/read-small.ts';
import type { ServerProcess } from './find.ts';
import type { StartCommand } from './restarter.ts';

/** How a server is stopped and started again. */
export type Manager = {
  /** For people: `systemctl stop mariadb.service`. */
  readonly how: string;
  /** The command that stops it, with the rights of `start`; unset: a signal does. */
  readonly stop?: readonly string[];
  readonly signal: 'SIGINT' | 'SIGTERM';
  readonly start: StartCommand;
};

/** No server needs a longer command line (bytes), and its environment is not much longer. */
const MOST_COMMAND_LINE = 4096;
const MOST_ENVIRONMENT = 32_768;

/**
 * Finds the service manager of a server: systemd, Debian's pg_ctlcluster, an init script. Else a signal ends it, and it
 * is started with the command line, directory and environment that it had, and with its own rights: nothing that a
 * process says about itself is ever run with root's rights.
 *
 * @throws {UserError} for a server that could not be started again
 */
export async function managerOf(server: ServerProcess): Promise<Manager> {
  const signal = server.product === 'PostgreSQL' ? 'SIGINT' : 'SIGTERM';
  const unit = await unitOf(server);
  if (unit !== undefined)
    return withCommands(signal, ['systemctl', 'stop', unit], ['systemctl', 'start', unit]);
  const cluster = server.product === 'PostgreSQL' ? await clusterOf(server) : undefined;
  if (cluster !== undefined) {
    const [version = '', name = ''] = cluster;
    return withCommands(
      signal,
      ['pg_ctlcluster', version, name, 'stop', '-m', 'fast'],
      ['pg_ctlcluster', version, name, 'start'],
      // Debian's tool does not need root's.
      server.rights,
    );
  }
  const script = await initScriptOf(server.pid);
  if (script !== undefined) return withCommands(signal, [script, 'stop'], [script, 'start']);
  return { how: `its own command line, after ${signal}`, signal, start: await ownCommand(server) };
}

function withCommands(
  signal: Manager['signal'],
  stop: readonly string[],
  start: readonly string[],
  rights?: Rights,
): Manager {
  return {
    how: stop.join(' '),
    stop,
    signal,
    start: { argv: start, ...(rights !== undefined && { rights }) },
  };
}

/** The systemd service that a server is the main process of (cgroups(7)), where systemd runs the machine. */
async function unitOf({ pid, parent }: ServerProcess): Promise<string | undefined> {
  if (!existsSync('/run/systemd/system')) return undefined;
  const unit = serviceIn(readProcessFile(pid, 'cgroup') ?? '');
  if (unit === undefined) return undefined;
  const { stdout } = await runCommand(['systemctl', 'show', '--property=MainPID', '--value', '--', unit]);
  return isServersUnit(unit, Number(stdout), [pid, parent]) ? unit : undefined;
}

/** The service in the text of `/proc/PID/cgroup`; not what somebody started in a session of his own. */
export function serviceIn(cgroup: string): string | undefined {
  for (const line of cgroup.split('\n')) {
    const parts = (/^\d+:(?:name=systemd)?:(.*)$/.exec(line)?.[1] ?? '').split('/');
    const unit = parts.findLast(it => it.endsWith('.service'));
    if (unit !== undefined && parts.includes('system.slice')) return unit;
  }
  return undefined;
}

/**
 * Whether a service is that of a server: the server, or what watches over it, is its main process. Units made from init
 * scripts have none, and are recognised by their names. (cron runs everybody's jobs in its own service.)
 */
export function isServersUnit(unit: string, mainPid: number, pids: readonly number[]): boolean {
  return mainPid > 1
    ? pids.includes(mainPid)
    : /^(mariadb|mysql|mysqld|postgresql)(@.*)?\.service$/.test(unit);
}

/** Version and name of the Debian cluster with this data directory. */
async function clusterOf({ dataDirectory, rights }: ServerProcess): Promise<readonly string[] | undefined> {
  if (findProgram('pg_lsclusters') === undefined) return undefined;
  const { stdout } = await runCommand(['pg_lsclusters', '--no-header'], asOwner(rights));
  const fields = stdout.split('\n').map(line => line.split(/\s+/));
  return fields.find(it => it[5] === dataDirectory);
}

/** A command's options for the rights of a server's owner, which only root can take on. */
export function asOwner(rights: Rights): { readonly rights?: Rights } {
  return process.getuid?.() === 0 ? { rights } : {};
}

/** The init script whose pidfile names the process. */
async function initScriptOf(pid: number): Promise<string | undefined> {
  const scripts = ['/etc/init.d/mariadb', '/etc/init.d/mysql', '/etc/init.d/mysqld'].filter(it =>
    existsSync(it),
  );
  const named = await readSmall('/run/mysqld/mysqld.pid', 100);
  return named !== undefined && Number(named) === pid ? scripts[0] : undefined;
}

/** The command line that a server was started with; of mysqld_safe, where that watches over it with the same rights. */
async function ownCommand(server: ServerProcess): Promise<StartCommand> {
  const { pid: own, parent, rights, product, dataDirectory } = server;
  const what = `${product} of ${dataDirectory} (process ${own})`;
  const byHand = 'stop it by hand before sync and start it after, or let a service manager run it';
  if (rights.uid === 0 && process.getuid?.() === 0) {
    throw failure(`${what} runs as root without a service manager; ${byHand}`);
  }
  const [here, there] = await Promise.all(
    ['self', own].map(it => readlink(`/proc/${it}/ns/mnt`).catch(() => '')),
  );
  if (here !== there) throw failure(`${what} runs in a container, which sync cannot start again; ${byHand}`);
  const isWatched =
    /^(mysqld_safe|mariadbd-safe)$/.test(findProcess(parent)?.name ?? '') && belongsTo(parent, rights.uid);
  const pid = isWatched ? parent : own;
  const commandLine = readProcessFile(pid, 'cmdline', MOST_COMMAND_LINE + 1) ?? '';
  const environment = readProcessFile(pid, 'environ', MOST_ENVIRONMENT + 1) ?? '';
  if (commandLine.length > MOST_COMMAND_LINE || environment.length > MOST_ENVIRONMENT) {
    throw failure(
      `${what} has a command line of more than ${MOST_COMMAND_LINE} bytes or an environment of more than ${MOST_ENVIRONMENT}, so sync cannot start it again; ${byHand}`,
    );
  }
  const [command = '', ...args] = inUtf8(commandLine).split('\0').slice(0, -1);
  return {
    argv: [isWatched || command.startsWith('/') ? command : (programOf(pid) ?? command), ...args],
    rights,
    server: {
      directory: await readlink(`/proc/${pid}/cwd`).catch(() => '/'),
      environment: environmentIn(inUtf8(environment)),
    },
  };
}

function inUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The text of `/proc/PID/environ`. */
export function environmentIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split('\0').flatMap(word => {
      const at = word.indexOf('=');
      return at > 0 ? [[word.slice(0, at), word.slice(at + 1)] as const] : [];
    }),
  );
}
