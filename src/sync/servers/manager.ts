import { existsSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { findProgram, runCommand } from '../../staging/command.ts';
import { parentOf, type ServerProcess } from './find.ts';

/** How a server is stopped and started again. */
export type Manager = {
  /** For people: `systemctl stop mariadb.service`. */
  readonly how: string;
  /** The command that stops it; unset: a signal does. */
  readonly stop?: readonly string[];
  readonly signal: NodeJS.Signals;
  readonly start: StartCommand;
};

/** How a server is started. */
export type StartCommand = {
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the command is the server itself, and stays. */
  readonly stays: boolean;
};

const PLAIN = {
  directory: '/',
  environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  stays: false,
};

/**
 * Finds out who looks after a server: systemd, Debian's pg_ctlcluster, an init script; else it is told to end by a signal,
 * and started with the command line, user, directory and environment that it had.
 */
export async function managerOf(server: ServerProcess): Promise<Manager> {
  const signal = server.name === 'PostgreSQL' ? 'SIGINT' : 'SIGTERM';
  const unit = await unitOf(server.pid);
  if (unit !== undefined)
    return withCommands(signal, ['systemctl', 'stop', unit], ['systemctl', 'start', unit]);
  const cluster = server.name === 'PostgreSQL' ? await clusterOf(server.dataDirectory) : undefined;
  if (cluster !== undefined) {
    const [version = '', name = ''] = cluster;
    return withCommands(
      signal,
      ['pg_ctlcluster', version, name, 'stop', '-m', 'fast'],
      ['pg_ctlcluster', version, name, 'start'],
    );
  }
  const script = await initScriptOf(server.pid);
  if (script !== undefined) return withCommands(signal, [script, 'stop'], [script, 'start']);
  return { how: `its own command line, after ${signal}`, signal, start: await ownCommand(server) };
}

function withCommands(signal: NodeJS.Signals, stop: readonly string[], start: readonly string[]): Manager {
  return { how: stop.join(' '), stop, signal, start: { ...PLAIN, argv: start } };
}

/** The systemd service that a process belongs to (cgroups(7)), where systemd runs the machine. */
async function unitOf(pid: number): Promise<string | undefined> {
  if (!existsSync('/run/systemd/system')) return undefined;
  return serviceIn(await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''));
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

/** Version and name of the Debian cluster with this data directory. */
async function clusterOf(directory: string): Promise<readonly string[] | undefined> {
  if (findProgram('pg_lsclusters') === undefined) return undefined;
  const { stdout } = await runCommand(['pg_lsclusters', '--no-header']);
  const fields = stdout.split('\n').map(line => line.split(/\s+/));
  return fields.find(it => it[5] === directory);
}

/** The init script whose pidfile names the process. */
async function initScriptOf(pid: number): Promise<string | undefined> {
  const scripts = ['/etc/init.d/mariadb', '/etc/init.d/mysql', '/etc/init.d/mysqld'].filter(it =>
    existsSync(it),
  );
  for (const pidfile of ['/run/mysqld/mysqld.pid', '/var/run/mysqld/mysqld.pid']) {
    const text = await readFile(pidfile, 'utf8').catch(() => '');
    if (Number(text) === pid) return scripts[0];
  }
  return undefined;
}

/** The command line that a process was started with, under its user; of mysqld_safe, where that watches over it. */
async function ownCommand(server: ServerProcess): Promise<StartCommand> {
  const parent = parentOf(server.pid);
  const isWatched = /mysqld_safe|mariadbd-safe/.test(await commOf(parent));
  const pid = isWatched ? parent : server.pid;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  const [command = '', ...args] = words;
  const program = isWatched || command.startsWith('/') ? command : await readlink(`/proc/${pid}/exe`);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const ids = (name: string) =>
    (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').trim().split(/\s+/);
  const groups = ids('Groups').filter(Boolean);
  const [uid = '0'] = ids('Uid');
  const [gid = '0'] = ids('Gid');
  return {
    argv: [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
      '--',
      program,
      ...args,
    ],
    directory: await readlink(`/proc/${pid}/cwd`),
    environment: environmentIn(await readFile(`/proc/${pid}/environ`, 'utf8')),
    stays: true,
  };
}

async function commOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
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
