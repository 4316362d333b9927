import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { SECOND } from '../clock.ts';
import { failure, isUserError, UserError } from '../errors.ts';
import type { Farm } from '../farm/farm.ts';
import { within } from '../os/time-limit.ts';
import { farmOf, followConfig } from './direct-keeper.ts';
import { fileMark } from './file-mark.ts';
import type { Keeper, KeeperParts, LoadedConfig } from './keeper.ts';
import { isAnswer, isConfigAnswer, type Request, receivedError, type SetUp } from './keeper-protocol.ts';
import { overLines } from './lines.ts';
import { isTextList } from './message.ts';
import type { Pidfile } from './pidfile.ts';
import type { Account } from './privileges.ts';
import { KEEPER_CHANNEL, KEEPER_TITLE } from './self.ts';
import { spawnSelf } from './spawn-self.ts';

type StartKeeperOptions = {
  /** Absolute paths. */
  readonly configFile: string;
  readonly logFile?: string;
  readonly pidfile?: Pidfile;
  /** The user that this process is about to become. */
  readonly account: Account;
  readonly parts: KeeperParts;
};

/**
 * Starts the keeper, a child process with root's rights. To be called as root, before the privileges are dropped; from
 * then on the keeper accepts only the requests of `Keeper`.
 *
 * @throws {UserError} from each method, when the keeper has died
 */
export async function startKeeper(options: StartKeeperOptions): Promise<Keeper> {
  const { configFile, logFile, pidfile, account, parts } = options;
  const { ask, end, died } = await openOffice({
    configFile,
    account,
    ...(logFile === undefined ? {} : { logFile }),
    ...(pidfile === undefined ? {} : { pidfile: pidfile.path }),
  });

  const own = followConfig(configFile, parts);
  let farm: Farm | undefined;
  let readsItself = false;
  const keepersFarm: Farm = {
    async read() {
      const urls = await ask({ ask: 'farm.read' });
      if (!isTextList(urls)) throw new Error('the keeper did not answer with a list of slaves');
      return urls;
    },
    async write(urls) {
      await ask({ ask: 'farm.write', urls });
    },
    async reload() {
      const done = await ask({ ask: 'farm.reload' });
      return typeof done === 'string' ? done : undefined;
    },
  };

  async function readConfig(): Promise<LoadedConfig> {
    const answer = await ask({ ask: 'config' });
    if (!isConfigAnswer(answer)) throw new Error('the keeper did not answer with a configuration');
    readsItself = answer.place === 'own';
    if (answer.place === 'own') {
      const why = withOwnRights(configFile, answer.part, account);
      const { config, warnings } = await own.readConfig().catch((error: unknown) => {
        throw isUserError(error) ? new UserError(`${error.message}\n${why}`, error.exitStatus) : error;
      });
      farm = own.current()?.farm;
      return { config, warnings: [...warnings, why] };
    }
    const { loaded, renderfarm, writes } = answer;
    // The keeper has the command: this farm is only for its file.
    const ownFile = parts.createFarm({ file: renderfarm, reloadCommand: 'none' });
    farm = writes ? keepersFarm : { read: ownFile.read, write: ownFile.write, reload: keepersFarm.reload };
    return loaded;
  }

  return {
    farm: farmOf(() => farm),
    readConfig,
    async configMark() {
      return readsItself ? await fileMark(configFile) : String(await ask({ ask: 'config.mark' }));
    },
    async reopenLog() {
      await ask({ ask: 'log' });
    },
    async end() {
      await ask({ ask: 'end' }).catch(() => {});
      await end();
    },
    died,
  };
}

function withOwnRights(configFile: string, part: string, { name }: Account): string {
  return (
    `${configFile}: users other than root can change ${part}, so nothing in the file is done with root's rights: ` +
    `the farm file is written and Apache is reloaded as ${name}; to have that done as root, give ${part} to root and ` +
    'let nobody else write to it (chown root, chmod go-w; an access control list counts too)'
  );
}

type Office = {
  /** @throws {UserError} when the keeper says so, is gone, or does not answer in time */
  ask(request: Request): Promise<unknown>;
  /** Lets the keeper end, and kills it if it does not. Never throws. */
  end(): Promise<void>;
  readonly died: Promise<UserError>;
};

/** How long (ms) an answer may take; the keeper limits a reload by itself. */
const ANSWER_LIMIT = 12 * SECOND;
const LIMITS: Readonly<Record<string, number>> = { 'farm.reload': 85 * SECOND, end: 3 * SECOND };
const END_LIMIT = 3 * SECOND;

function channelTo(child: ChildProcess): Socket {
  // There are no streams at all where this process has no descriptors left.
  const socket: unknown = child.stdio?.[KEEPER_CHANNEL];
  if (socket instanceof Socket) return socket;
  child.once('error', () => {});
  throw failure("the keeper, the part of the balancer that has root's rights, cannot be started");
}

/** Requests and answers over the channel to the keeper's process. */
async function openOffice(setUp: SetUp): Promise<Office> {
  const child = spawnSelf('keeper', { args: [], title: KEEPER_TITLE, detached: false, stderr: 'inherit' });
  const socket = channelTo(child);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = -1;
  let death: string | undefined;
  let isEnding = false;
  const died = Promise.withResolvers<UserError>();

  function ended(how: string): void {
    death ??=
      `the keeper, the part of the balancer that has root's rights, has ended (${how}): ` +
      'the farm file can no longer be written, nor Apache reloaded; restart the balancer';
    if (!isEnding) died.resolve(failure(death));
    for (const { reject } of waiting.values()) reject(failure(death));
    waiting.clear();
  }
  child.on('error', error => ended(error.message));
  child.on('exit', (status, signal) => ended(signal ?? `exit status ${status}`));
  const lines = overLines(socket, {
    onMessage: message => {
      if (!isAnswer(message)) return;
      const asked = waiting.get(message.id);
      if ('error' in message) asked?.reject(receivedError(message.error));
      else asked?.resolve(message.value);
    },
    onEnd: () => ended('its channel is closed'),
  });

  async function send(content: Request | { readonly setUp: SetUp }): Promise<unknown> {
    if (death !== undefined) throw failure(death);
    lastId += 1;
    const id = lastId;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    // The channel keeps this process alive only while somebody waits for an answer.
    socket.ref();
    lines.send({ id, ...content });
    const what = 'ask' in content ? content.ask : 'set-up';
    const limit = LIMITS[what] ?? ANSWER_LIMIT;
    try {
      return await within(
        limit,
        `"${what}" in the part of the balancer that has root's rights`,
        answer.promise,
      );
    } finally {
      waiting.delete(id);
      if (waiting.size === 0) socket.unref();
    }
  }

  await send({ setUp });
  child.unref();
  return {
    ask: send,
    async end() {
      isEnding = true;
      const isThere = () => child.exitCode === null && child.signalCode === null;
      const gone = isThere() ? once(child, 'exit', { signal: AbortSignal.timeout(END_LIMIT) }) : undefined;
      child.ref();
      lines.close();
      await gone?.catch(() => {});
      // Not permitted if this process is another user by now; then the keeper ends by itself if it runs at all.
      if (isThere()) child.kill('SIGKILL');
      child.unref();
    },
    died: died.promise,
  };
}
