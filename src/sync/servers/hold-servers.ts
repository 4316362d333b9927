import type { Clock } from '../../clock.ts';
import type { Report } from '../../staging/report.ts';
import { findServers, type ServerProcess } from './find.ts';
import type { Hold } from './hold.ts';
import { managerOf } from './manager.ts';
import { backUp } from './postgres.ts';
import { stopServer } from './stop.ts';

/**
 * Makes all servers of these directories hold their files still: PostgreSQL with its own backup protocol, where it can be
 * asked; MariaDB and MySQL, whose files change behind every lock, by stopping them.
 *
 * @throws {UserError} when one of them does not; all of them serve then
 */
export async function holdServers(
  directories: readonly string[],
  tools: { readonly clock: Clock; readonly report: Report },
): Promise<readonly Hold[]> {
  const holds: Hold[] = [];
  try {
    for (const server of findServers(directories)) holds.push(await holdOne(server, tools));
    return holds;
  } catch (error) {
    await Promise.allSettled(holds.map(it => it.release()));
    throw error;
  }
}

async function holdOne(
  server: ServerProcess,
  { clock, report }: { readonly clock: Clock; readonly report: Report },
): Promise<Hold> {
  const what = `${server.product} of ${server.dataDirectory} (process ${server.pid})`;
  const backup = server.product === 'PostgreSQL' ? await backUp(server) : undefined;
  if (backup !== undefined) {
    report.say(`  ${what} goes into backup mode and keeps serving`);
    return backup;
  }
  const manager = await managerOf(server);
  report.say(`  ${what} is stopped for the last pass (${manager.how})`);
  return await stopServer(server, manager, clock);
}
