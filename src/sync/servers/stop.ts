import { type Clock, MINUTE, SECOND } from '../../clock.ts';
import { isStillThere } from '../../daemon/process.ts';
import { failure } from '../../errors.ts';
import { commandFailure, runCommand } from '../../staging/command.ts';
import { answers, findServers, listeningSockets, type ServerProcess } from './find.ts';
import type { Hold } from './hold.ts';
import type { Manager } from './manager.ts';
import { createRestarter } from './restarter.ts';

const LOOK_AGAIN = SECOND / 10;
/** A server writes all that it has in memory before it ends. */
const STOP_LIMIT = 10 * MINUTE;
const START_LIMIT = 10 * MINUTE;

/**
 * Stops a server, so that its files are whole and do not change. It is started again by `release`, and also if this program
 * is killed meanwhile.
 *
 * @throws {UserError} when it does not end; it runs then
 */
export async function stopServer(server: ServerProcess, manager: Manager, clock: Clock): Promise<Hold> {
  const sockets = await listeningSockets(server.pid);
  const restarter = await createRestarter(manager.start, server.pid);
  const what = `${server.name} of ${server.dataDirectory}`;

  async function release(): Promise<void> {
    const status = await restarter.start();
    const until = clock.monotonic() + START_LIMIT;
    while (status === 0 && clock.monotonic() < until) {
      if (await isServing(server, sockets)) return;
      await clock.sleep(LOOK_AGAIN);
    }
    throw failure(
      `${what} was stopped for the copy and does not come back (${manager.start.argv.join(' ')}); start it by hand, and look into its log`,
    );
  }

  try {
    if (manager.stop === undefined) process.kill(server.pid, manager.signal);
    else {
      const ended = await runCommand(manager.stop);
      if (ended.status !== 0) throw commandFailure(manager.stop.join(' '), ended);
    }
    const until = clock.monotonic() + STOP_LIMIT;
    while (isStillThere(server)) {
      if (clock.monotonic() >= until) {
        throw failure(`${what} (process ${server.pid}) has not ended after ${STOP_LIMIT / MINUTE} minutes`);
      }
      await clock.sleep(LOOK_AGAIN);
    }
  } catch (error) {
    await release().catch(() => {});
    throw error;
  }
  return { server, state: 'stopped', isDown: true, finish: async () => true, release };
}

/** Whether a server of the directory is there again, and answers where the old one did. */
async function isServing(server: ServerProcess, sockets: readonly string[]): Promise<boolean> {
  if ((await findServers([server.dataDirectory])).length === 0) return false;
  const answering = await Promise.all(sockets.map(answers));
  return answering.every(Boolean);
}
