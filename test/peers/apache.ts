import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const PATIENCE = 120_000;

/** What `test(…, { skip })` takes: why there can be no Apache with these modules here, or false. */
export function apacheMissing(...modules: readonly string[]): string | false {
  const missing = [APACHE, ...modules.map(name => join(MODULES, `mod_${name}.so`))].find(
    file => !existsSync(file),
  );
  return missing === undefined ? false : `${missing} is not installed`;
}

export type ApacheOptions = {
  readonly mpm?: 'event' | 'prefork';
  /** Without it there is a server, but no /server-status. */
  readonly modStatus?: boolean;
  readonly extendedStatus?: boolean;
  /** What `Require` says for /server-status. */
  readonly access?: string;
  /** More modules (`fcgid`), and lines for the configuration. `@DIR@` stands for the server's directory. */
  readonly modules?: readonly string[];
  readonly lines?: readonly string[];
};

/** A real Apache of this test's own, on a port of its own, in a directory of its own. */
export type Apache = {
  /** `http://127.0.0.1:PORT`, without a slash. */
  readonly origin: string;
  readonly statusUrl: string;
  readonly directory: string;
  /** The parent process. */
  readonly pid: number;
  errorLog(): string;
  /** `apachectl graceful`; resolves when the new generation is there. */
  graceful(): Promise<void>;
  /** `apachectl restart`: the counters begin at 0. */
  restart(): Promise<void>;
  /** Resolves when the log says so often "resuming normal operations": once at the start, once more per (re)start. */
  resumed(times: number): Promise<void>;
  stop(): Promise<void>;
};

function configuration(directory: string, port: number, options: ApacheOptions): string {
  const { mpm = 'event', modStatus = true, extendedStatus = true, access = 'local' } = options;
  const modules = [`mpm_${mpm}`, 'authz_core', 'authz_host', 'mime', 'alias', 'env', 'dir'];
  if (modStatus) modules.push('status');
  modules.push(...(options.modules ?? []));
  return [
    `ServerRoot "${directory}"`,
    'ServerName localhost',
    `Listen 127.0.0.1:${port}`,
    `PidFile "${directory}/apache2.pid"`,
    `DefaultRuntimeDir "${directory}/run"`,
    'Mutex posixsem',
    `ErrorLog "${directory}/error.log"`,
    'LogLevel notice',
    `DocumentRoot "${directory}/htdocs"`,
    'TypesConfig /etc/mime.types',
    'StartServers 2',
    ...(mpm === 'event'
      ? ['ThreadsPerChild 8', 'MaxRequestWorkers 16', 'MinSpareThreads 8', 'MaxSpareThreads 16']
      : []),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    ...modules.map(name => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    `<Directory "${directory}/htdocs">`,
    '  Require all granted',
    '</Directory>',
    ...(modStatus
      ? [
          `ExtendedStatus ${extendedStatus ? 'On' : 'Off'}`,
          '<Location "/server-status">',
          '  SetHandler server-status',
          `  Require ${access}`,
          '</Location>',
        ]
      : []),
    ...(options.lines ?? []),
    '',
  ]
    .join('\n')
    .replaceAll('@DIR@', directory);
}

/** Apache dies with this process, also when this process is killed. */
function launch(directory: string): ChildProcess {
  const setpriv = '/usr/bin/setpriv';
  const apache = [APACHE, '-d', directory, '-f', `${directory}/apache2.conf`, '-DFOREGROUND'];
  const [command = APACHE, ...args] = existsSync(setpriv)
    ? [setpriv, '--pdeathsig', 'TERM', ...apache]
    : apache;
  return spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' },
  });
}

/** Starts one and waits until it takes connections. */
export async function startApache(options: ApacheOptions = {}): Promise<Apache> {
  accessSync(APACHE);
  const directory = await mkdtemp(join(tmpdir(), 'apache-'));
  chmodSync(directory, 0o755);
  for (const name of ['htdocs', 'run']) mkdirSync(join(directory, name));
  chmodSync(join(directory, 'run'), 0o777);
  writeFileSync(join(directory, 'htdocs', 'index.html'), 'hello\n');
  const port = await freePort();
  writeFileSync(join(directory, 'apache2.conf'), configuration(directory, port, options));

  const child = launch(directory);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${APACHE} cannot be started`);
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));

  function signalGroup(signal: NodeJS.Signals): void {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }
  const atExit = () => signalGroup('SIGKILL');
  process.once('exit', atExit);

  function errorLog(): string {
    const file = join(directory, 'error.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const killer = setTimeout(() => signalGroup('SIGKILL'), 5_000);
      await ended;
      clearTimeout(killer);
    }
    signalGroup('SIGKILL');
    process.removeListener('exit', atExit);
    await rm(directory, { recursive: true, force: true });
  }

  const resumptions = () => errorLog().split('resuming normal operations').length - 1;

  async function resumed(times: number): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (resumptions() < times) {
      if (child.exitCode !== null || Date.now() > deadline) {
        const log = errorLog();
        await stop();
        throw new Error(`Apache did not come up: ${log}`);
      }
      await sleep(20);
    }
  }

  async function signalled(signal: NodeJS.Signals): Promise<void> {
    const before = resumptions();
    child.kill(signal);
    await resumed(before + 1);
  }

  await resumed(1);
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    statusUrl: `${origin}/server-status`,
    directory,
    pid,
    errorLog,
    graceful: () => signalled('SIGUSR1'),
    restart: () => signalled('SIGHUP'),
    resumed,
    stop,
  };
}
