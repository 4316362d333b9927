import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../clock.ts';
import type { LoadTable } from '../../config/config.ts';
import { findApaches } from '../../farm/apache.ts';
import { requestRate } from '../../format/numbers.ts';
import { inTurn, judge, type Verdict } from '../../load/believe.ts';
import { readStatus } from '../../load/fetch.ts';
import { isPage, type NoPage, type StatusPage } from '../../load/reading.ts';
import { startOf } from '../../os/process.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** Between two readings: Apache's uptime is in whole seconds. */
const PAUSE = 1.2 * SECOND;

/** How much (s) two spans may differ that two clocks measured, or that were rounded. */
const TOLERANCE = 3;

/** Two readings a moment apart, with the time between them (s). */
type Readings = { readonly first: StatusPage; readonly second: StatusPage; readonly elapsed: number };

/**
 * Whether mod_status answers, has the counters, and is the right server: one that counts our own request, has one
 * uptime, and runs on this machine.
 */
export const modStatus: Topic = {
  name: 'mod_status',
  async check(world) {
    const { serverStatusUrl } = (await world.config()).master;
    // Its own message about a server that is too slow comes before the general time limit.
    const ask = readStatus(serverStatusUrl, { timeLimit: world.options.timeLimit * 0.8 });
    const first = await ask();
    world.answered();
    if (!isPage(first)) return [overloaded(first)];
    const before = performance.now();
    await sleep(PAUSE, undefined, { signal: world.signal });
    const second = await ask();
    if (!isPage(second)) return [overloaded(second)];
    const readings = { first, second, elapsed: (performance.now() - before) / SECOND };
    const url = new URL(serverStatusUrl);
    const shown = `${url.origin}${url.pathname}`;
    const doubts = doubtsAbout(readings);
    return [
      ...(doubts.length > 0 ? doubts : [answers(shown, second)]),
      ...reach(second, (await world.config()).loadTable),
      ...(await otherServer(url, second, world)),
    ];
  },
};

function answers(shown: string, { totalAccesses, serverUptimeSeconds }: StatusPage): Finding {
  const rate = totalAccesses / Math.max(1, serverUptimeSeconds);
  const average = rate < 0.01 ? 'hardly any' : `${Number(rate.toPrecision(2))} a second`;
  return ok(`${shown} counts requests: ${totalAccesses} since Apache's start, on average ${average}.`, {
    details: { totalAccesses, serverUptimeSeconds, averageRequestsPerSecond: rate },
  });
}

/** Fewer requests do not show how long one takes. */
const ENOUGH_REQUESTS = 100;

/** Whether Apache's workers can serve as many requests as the load table has rows for. */
export function reach(
  { totalAccesses, totalDuration, workers }: StatusPage,
  table: LoadTable,
): readonly Finding[] {
  if (workers === undefined || totalDuration === undefined || totalAccesses < ENOUGH_REQUESTS) return [];
  const seconds = totalDuration / totalAccesses / 1000;
  // Slots that wait are idle workers, too.
  const count = Math.max(workers.busy + workers.idle, workers.busy + (workers.free ?? 0));
  const most = count / seconds;
  const last = table.at(-1)?.requestsPerSecond ?? 0;
  if (most >= last) return [];
  return [
    warning(
      `The last row of the load table (${last} requests/s) cannot be reached: at ${requestRate(seconds)} s a request, the average so far, Apache's ${count} workers serve at most ${requestRate(most)} requests/s.`,
      'Raise MaxRequestWorkers (and ServerLimit), or lower the rows of the load table. Until then the balancer climbs the table only when Apache is overloaded.',
    ),
  ];
}

function overloaded({ overloaded: reason }: NoPage): Finding {
  return problem(
    `${reason}: it is overloaded, or hangs. The balancer treats that as load, and launches slaves.`,
    'Wait until the site answers again, then run check again. If it never does, restart Apache.',
  );
}

/** What two readings show that one server cannot give, in the words of the balancer's own log. */
export function doubtsAbout({ first, second, elapsed }: Readings): readonly Finding[] {
  const said = judge(first, second, elapsed, 1);
  // Nobody sets a clock within that second.
  const jump = Math.abs(second.serverUptimeSeconds - first.serverUptimeSeconds - elapsed);
  const verdict: Verdict =
    said.kind === 'went on' && jump > TOLERANCE ? { kind: 'unknown', why: inTurn(first, second) } : said;
  if (verdict.kind === 'restarted' || (verdict.kind === 'unknown' && verdict.why === undefined))
    return [warning('Apache was restarted between the two readings of this check.', 'Run check again.')];
  if (verdict.kind !== 'unknown' || verdict.why === undefined) return [];
  const [message = '', ...remedy] = verdict.why.split(/(?<=\.) (?=Let )/);
  return [problem(`The load cannot be determined: ${message}`, remedy.join(' '))];
}

/** Whether another machine answers, or a server that is older than any Apache here. */
async function otherServer(url: URL, reading: StatusPage, world: World): Promise<readonly Finding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!(await isThisMachine(host))) {
    const place = await world.place('MASTER', 'server_status_url');
    return [
      warning(
        `${host} is another machine: its load is watched, not the load of this one.`,
        `If GBrowse runs here, in ${place}:\n    server_status_url = http://localhost/server-status`,
      ),
    ];
  }
  const apaches = findApaches();
  const ages = apaches.map(apache => (Date.now() - startOf(apache)) / SECOND);
  // A restart makes the uptime shorter than the process's age; nothing makes it longer.
  const oldest = Math.max(...ages);
  if (apaches.length === 0 || reading.serverUptimeSeconds <= oldest + 10) return [];
  return [
    warning(
      `The server that answers is up ${reading.serverUptimeSeconds} s, longer than any Apache on this machine (${Math.round(oldest)} s): it may be another one, in a container perhaps.`,
    ),
  ];
}

async function isThisMachine(host: string): Promise<boolean> {
  const own = Object.values(networkInterfaces()).flatMap(all => (all ?? []).map(({ address }) => address));
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.every(({ address }) => /^(127\.|::1$)/.test(address) || own.includes(address));
}
