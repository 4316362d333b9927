import { Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import type { Farm } from '../farm/farm.ts';
import { foreignPartOf } from '../os/root-path.ts';
import { endNow } from './certain-end.ts';
import { createLogFile } from './create-log-file.ts';
import { followConfig } from './direct-keeper.ts';
import { fileMark } from './file-mark.ts';
import type { KeeperParts } from './keeper.ts';
import {
  type Answer,
  type ConfigAnswer,
  isSetUpMessage,
  parseRequest,
  type Request,
  type SetUp,
  sendableError,
} from './keeper-protocol.ts';
import { type Lines, overLines } from './lines.ts';
import { removePidfile } from './pidfile.ts';
import { KEEPER_CHANNEL, KEEPER_TITLE } from './self.ts';

/** A balancer sends a few requests at a time. While more are waiting, no more are read. */
const MOST_WAITING = 16;

/**
 * The keeper's process: does the few things that need root's rights for a balancer without privileges, one after the
 * other, and ends with it: what a killed balancer has asked for must not be done after its successor has read the farm
 * file. When the balancer dies, the pidfile stays: a stale pidfile shows how the balancer ended.
 *
 * Root's rights are never lent. If anybody but root can change the configuration file, its `reload_command` run as root
 * would make root of that user, and reading it as root would show any file through a link: then the keeper does not
 * touch it, and the balancer reads it, writes the farm file and reloads Apache with its own rights. If anybody but root
 * can change the place of the farm file, a link there would have root write elsewhere: then the balancer writes that
 * file. The same holds for the log file and the pidfile.
 */
export function runKeeper(parts: KeeperParts): void {
  process.title = KEEPER_TITLE;
  process.chdir('/');
  process.umask(0o022);
  // These signals are for the balancer; they reach us when a terminal or systemd signals the whole group.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  process.stderr.on('error', () => {});

  let office: ReturnType<typeof createOffice> | undefined;
  /** Requests are done in order, except that nothing waits for Apache. */
  let last: Promise<void> = Promise.resolve();
  let lastReload: Promise<void> = Promise.resolve();
  let unfinished = 0;

  const balancer = process.ppid;
  const lines: Lines = overLines(new Socket({ fd: KEEPER_CHANNEL }), {
    most: MOST_WAITING,
    onMessage: message => {
      if (office === undefined) {
        // The first message, which comes from root: the balancer waits for the answer before it drops its privileges.
        if (!isSetUpMessage(message)) throw new Error('the keeper was not set up');
        office = createOffice(message.setUp, parts);
        answer({ id: 0 });
        return;
      }
      const { handle } = office;
      const received = parseRequest(message);
      if (received === undefined) return lines.done();
      const { id, request } = received;
      const before = request?.ask === 'farm.reload' ? Promise.all([last, lastReload]) : last;
      unfinished += 1;
      const done = before.then(async () => {
        try {
          if (request === undefined) throw new Error('refused: the keeper does not do this');
          answer({ id, value: await handle(request) });
        } catch (error) {
          answer({ id, error: sendableError(error) });
        } finally {
          unfinished -= 1;
        }
      });
      if (request?.ask === 'farm.reload') lastReload = done;
      else last = done;
    },
    onEnd: finish,
  });

  function answer(message: Answer): void {
    lines.send(message, lines.done);
  }

  // A file is replaced at one stroke, so none is left half written.
  function finish(): void {
    if (unfinished > 0) endNow();
    else process.exit(0);
  }
  // While requests hold up the channel, its end does not show.
  setInterval(() => process.ppid !== balancer && lines.close(), SECOND);
}

function createOffice(setUp: SetUp, parts: KeeperParts): { handle(request: Request): Promise<unknown> } {
  const { configFile, pidfile, logFile, account } = setUp;
  const balancer = process.ppid;
  const followed = followConfig(configFile, parts);
  /** Whether the user cannot change the place of the farm file. */
  let writes = false;

  async function readConfig(): Promise<ConfigAnswer> {
    const part = await foreignPartOf(configFile, 'content');
    if (part !== undefined) return { place: 'own', part: part.path };
    const loaded = await followed.readConfig();
    const renderfarm = followed.current()?.renderfarm ?? '';
    writes = (await foreignPartOf(renderfarm, 'place')) === undefined;
    return { place: 'keeper', loaded, renderfarm, writes };
  }

  async function configMark(): Promise<string> {
    // Only for a file that root has read: the user must not learn where other files are, or when they were written.
    if (followed.current() === undefined)
      throw new Error('refused: the configuration file does not belong to root alone');
    return await fileMark(configFile);
  }

  function farm(): Farm {
    const current = followed.current();
    if (current === undefined)
      throw new Error('refused: the configuration file does not belong to root alone');
    return current.farm;
  }

  function writableFarm(): Farm {
    if (!writes) throw new Error('refused: the directory of the farm file does not belong to root alone');
    return farm();
  }

  async function removeOwnPidfile(): Promise<void> {
    if (pidfile === undefined || (await foreignPartOf(pidfile, 'place')) !== undefined) return;
    await removePidfile(pidfile, balancer);
  }

  async function handle(request: Request): Promise<unknown> {
    switch (request.ask) {
      case 'config':
        return await readConfig();
      case 'config.mark':
        return await configMark();
      case 'farm.read':
        return await writableFarm().read();
      case 'farm.write':
        return await writableFarm().write(request.urls);
      case 'farm.reload':
        return await farm().reload();
      case 'log':
        return logFile === undefined ? undefined : await createLogFile(logFile, account);
      case 'end':
        return await removeOwnPidfile();
    }
  }

  return { handle };
}
