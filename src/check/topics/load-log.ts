import { stat } from 'node:fs/promises';
import { HOUR } from '../../clock.ts';
import { lookUpAccount } from '../../daemon/privileges.ts';
import { duration } from '../../format/durations.ts';
import { harmless } from '../../format/harmless.ts';
import { counted, share } from '../../format/numbers.ts';
import { problemOf } from '../../load/log/follow.ts';
import { type LogSample, sampleLog } from '../../load/log/sample.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import type { Topic } from '../topic.ts';

/** If nothing was written for this long, Apache may write another log. */
const STALE = 24 * HOUR;

/** The paths of GBrowse: CGI, FastCGI and mod_perl, images, and the renderer. */
export const GBROWSE_PATHS = '/(gbrowse|gbrowse_img|gbrowse_details|render)([/?. ]|$)';

/** Whether the access log of `load_log` can be read, is being written, and has lines that count. */
export const loadLog: Topic = {
  name: 'load_log',
  async check(world) {
    const { loadLog: file, loadMatch, serverStatusUrl } = (await world.config()).master;
    const place = await world.place('MASTER', 'load_log');
    if (file === undefined) {
      if (loadMatch !== undefined)
        return [
          warning(
            'load_match is set without load_log, so it changes nothing.',
            `In ${place}:\n    load_log = /var/log/apache2/access.log`,
          ),
        ];
      return [];
    }
    let sample: LogSample;
    try {
      sample = await sampleLog(file, new URL(serverStatusUrl).pathname, loadMatch);
    } catch (error) {
      return [problem(problemOf(file, error))];
    }
    const unreadable = await unreadableFor(world.options.user ?? (await world.service())?.USER, file);
    return [
      ...(unreadable === undefined ? [] : [unreadable]),
      ...judgeSample(file, sample, loadMatch, Date.now()),
    ];
  },
};

/** Whether the mode of the log lets the balancer's user, who is not ours, read it. */
async function unreadableFor(user: string | undefined, file: string): Promise<Finding | undefined> {
  if (user === undefined || process.getuid?.() !== 0) return undefined;
  const [account, { mode, uid, gid }] = await Promise.all([lookUpAccount(user), stat(file)]);
  const may = account.uid === uid ? 0o400 : account.groups.includes(gid) ? 0o040 : 0o004;
  if (account.uid === 0 || (mode & may) !== 0) return undefined;
  return problem(
    `${file}: ${user} may not read it, and the balancer runs as ${user}.`,
    `On Debian the group adm may read it:\n    usermod -a -G adm ${user}\nThen restart the balancer.`,
  );
}

/** What the last lines of a log say. */
export function judgeSample(
  file: string,
  sample: LogSample,
  match: RegExp | undefined,
  now: number,
): readonly Finding[] {
  const { lines, requests, status, counted: count, example, changedAt } = sample;
  const details = { lines, requests, statusRequests: status, counted: count };
  if (lines === 0) {
    return [
      warning(`${file} is empty: no request has been logged since it was created.`, undefined, { details }),
    ];
  }
  if (requests === 0) {
    return [
      problem(
        `${file}: none of its last ${counted(lines, 'line')} contains a request.`,
        'Set load_log to an access log, not an error log. The common and combined formats and JSON lines are supported.',
        { details },
      ),
    ];
  }
  const stale =
    now - changedAt > STALE
      ? [
          warning(
            `${file} was last written ${duration(now - changedAt)} ago: it may not be the log that Apache writes now.`,
            'Compare it with the CustomLog lines of the Apache configuration:\n    grep -r CustomLog /etc/apache2',
          ),
        ]
      : [];
  const others = requests - status;
  if (others > 0 && count === 0) {
    return [
      problem(
        `${file}: load_match matches none of the last ${counted(others, 'request')}, such as: ${harmless(example ?? '')}`,
        `An expression that matches GBrowse's own paths:\n    load_match = ${GBROWSE_PATHS}`,
        { details },
      ),
      ...stale,
    ];
  }
  const part = match === undefined ? 'all' : `${share(count, others)} (load_match)`;
  return [
    ok(
      `${file} is read: its last lines hold ${counted(others, 'request')}, of which ${part} count as load.`,
      {
        details,
      },
    ),
    ...stale,
  ];
}
