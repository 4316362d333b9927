import { createServer } from 'node:http';
import type { Clock } from '../../src/clock.ts';
import { isUserError } from '../../src/errors.ts';
import type { StatusPage } from '../../src/load/reading.ts';
import { apacheTime, createSimulatedApache, type SimulatedApache } from './apache.ts';
import type { LoadProfile } from './load-profile.ts';

/** A web server that has nothing but a mod_status. */
export type ApacheStandIn = Pick<SimulatedApache, 'restart' | 'fail'> & {
  /** `http://127.0.0.1:PORT/server-status` */
  readonly url: string;
  close(): Promise<void>;
};

/**
 * Listens on 127.0.0.1 and answers `/server-status?auto` as Apache with ExtendedStatus On does, its Total Accesses
 * following the load; without `?auto` the same as a web page. Where `fail` was called, 403.
 *
 * @param port a free one when unset
 */
export async function startApacheStandIn(clock: Clock, load: LoadProfile, port = 0): Promise<ApacheStandIn> {
  const apache = createSimulatedApache(clock, load);

  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/server-status') {
      response.writeHead(404, { 'Content-Type': 'text/html' }).end(shortPage('404 Not Found'));
      return;
    }
    apache.readStatus().then(
      reading => {
        const text = statusPage(reading, clock.wall());
        if (search.startsWith('?auto')) {
          response.writeHead(200, { 'Content-Type': 'text/plain; charset=ISO-8859-1' }).end(text);
        } else {
          const page = `${shortPage('Apache Status')}<pre>${text}</pre>\n`;
          response.writeHead(200, { 'Content-Type': 'text/html; charset=ISO-8859-1' }).end(page);
        }
      },
      (error: unknown) => {
        response
          .writeHead(isUserError(error) ? 403 : 500, { 'Content-Type': 'text/html' })
          .end(shortPage('403 Forbidden'));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the stand-in does not listen on a port');
  return {
    url: `http://127.0.0.1:${address.port}/server-status`,
    restart: apache.restart,
    fail: apache.fail,
    close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** The `?auto` page of Apache 2.4 with ExtendedStatus On. */
function statusPage({ totalAccesses, serverUptimeSeconds, restartTime }: StatusPage, wall: number): string {
  const uptime = Math.max(1, serverUptimeSeconds);
  const kBytes = totalAccesses * 4;
  const fields: readonly (readonly [key: string, value: string | number])[] = [
    ['ServerVersion', 'Apache/2.4.66 (Debian)'],
    ['ServerMPM', 'event'],
    ['Server Built', '2025-12-09T18:31:21'],
    ['CurrentTime', apacheTime(wall)],
    ['RestartTime', restartTime ?? ''],
    ['ParentServerConfigGeneration', 1],
    ['ParentServerMPMGeneration', 0],
    ['ServerUptimeSeconds', serverUptimeSeconds],
    ['ServerUptime', inWords(serverUptimeSeconds)],
    ['Load1', '0.10'],
    ['Load5', '0.08'],
    ['Load15', '0.05'],
    ['Total Accesses', totalAccesses],
    ['Total kBytes', kBytes],
    ['Total Duration', totalAccesses * 12],
    ['CPUUser', number(0.0006 * totalAccesses)],
    ['CPUSystem', number(0.0004 * totalAccesses)],
    ['CPUChildrenUser', 0],
    ['CPUChildrenSystem', 0],
    ['CPULoad', number((0.1 * totalAccesses) / uptime)],
    ['Uptime', serverUptimeSeconds],
    ['ReqPerSec', number(totalAccesses / uptime)],
    ['BytesPerSec', number((kBytes * 1024) / uptime)],
    ...(totalAccesses > 0
      ? ([
          ['BytesPerReq', 4096],
          ['DurationPerReq', 12],
        ] as const)
      : []),
    ['BusyWorkers', 1],
    ['GracefulWorkers', 0],
    ['IdleWorkers', 49],
    ['Processes', 2],
    ['Stopping', 0],
    ['ConnsTotal', 1],
    ['ConnsAsyncWriting', 0],
    ['ConnsAsyncKeepAlive', 0],
    ['ConnsAsyncClosing', 0],
    ['Scoreboard', `W${'_'.repeat(49)}${'.'.repeat(100)}`],
  ];
  return `localhost\n${fields.map(([key, value]) => `${key}: ${value}\n`).join('')}`;
}

/** A number as Apache prints it: no zero before the point. */
function number(value: number): string {
  return String(Number(value.toPrecision(6))).replace(/^0\./, '.');
}

function inWords(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  return parts
    .filter(([count], index) => count > 0 || index === parts.length - 1)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ');
}

function shortPage(title: string): string {
  return `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
}
