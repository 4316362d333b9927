import { type Clock, MINUTE, SECOND } from '../../clock.ts';
import { failure } from '../../errors.ts';
import { commandFailure, runCommand } from '../../os/command.ts';
import { isStillThere } from '../../os/process.ts';
import { findServers, listeningSockets, type ServerProcess } from './find.ts';
import type { Hold } from './hold.ts';
import { asOwner, type Manager } from './manager.ts';
import { createRestarter } from './restarter.ts';

const POLL_INTERVAL = SECOND / 10;
/** A server writes all that it has in memory before it ends. */
const STOP_LIMIT = 10 * MINUTE;
const START_LIMIT = 10 * MINUTE;

/**
 * Stops a server, so that its files are whole and do not change. It is started again by `release`, and also if this program
 * is killed meanwhile.
 *
 * @throws {UserError} when it does not end; it is running then
 */
export async function stopServer(server: ServerProcess, manager: Manager, clock: Clock): Promise<Hold> {
  const sockets = listeningSockets(server.pid);
  const restarter = await createRestarter(manager.start, server);
  const what = `${server.product} of ${server.dataDirectory}`;

  async function release(): Promise<void> {
    const until = clock.monotonic() + START_LIMIT;
    const limit = new AbortController();
    const status = await Promise.race([
      restarter.start(),
      clock.sleep(START_LIMIT, limit.signal).then(
        () => 'late',
        () => 'late',
      ),
    ]);
    limit.abort();
    while (status === 0 && clock.monotonic() < until) {
      if (isServing(server, sockets)) return;
      await clock.sleep(POLL_INTERVAL);
    }
    throw failure(
      `${what} was stopped for the copy and did not start again (${manager.start.argv.join(' ')}); start it by hand, and check its log`,
    );
  }

  try {
    await order(server, manager);
    const until = clock.monotonic() + STOP_LIMIT;
    while (isStillThere(server)) {
      if (clock.monotonic() >= until) {
        throw failure(`${what} (process ${server.pid}) has not ended after ${STOP_LIMIT / MINUTE} minutes`);
      }
      await clock.sleep(POLL_INTERVAL);
    }
  } catch (error) {
    await release().catch(() => {});
    throw error;
  }
  return { server, state: 'stopped', isDown: true, finish: async () => true, release };
}

/**
 * Tells a server to end; a signal is sent with the server's own rights, so that it cannot reach processes of others.
 */
async function order({ pid, rights }: ServerProcess, { stop, signal, start }: Manager): Promise<void> {
  const command = stop ?? ['sh', '-c', 'kill -s "$1" "$2"', 'sh', signal.replace('SIG', ''), String(pid)];
  const theirs = stop === undefined ? rights : start.rights;
  const ended = await runCommand(command, {
    timeLimit: STOP_LIMIT,
    ...(theirs !== undefined && asOwner(theirs)),
  });
  if (ended.status !== 0) throw commandFailure(stop?.join(' ') ?? `${signal} to process ${pid}`, ended);
}

/** Whether a server of the directory is there again, and listens where the old one did. */
function isServing(server: ServerProcess, sockets: readonly string[]): boolean {
  for (const { pid } of findServers([server.dataDirectory])) {
    const listening = listeningSockets(pid);
    if (sockets.every(it => listening.includes(it))) return true;
  }
  return false;
}
