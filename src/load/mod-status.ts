import { failure } from '../errors.ts';
import type { StatusPage, Workers } from './reading.ts';

/** What Apache's configuration needs for mod_status to answer at `path`, indented for an error message. */
export function modStatusBlock(path: string): string {
  // Never advise to turn a whole site into a status page.
  const location = path === '/' ? '/server-status' : path;
  return [
    '    ExtendedStatus On',
    `    <Location "${location}">`,
    '        SetHandler server-status',
    '        Require local',
    '    </Location>',
  ].join('\n');
}

/** The fields of the `?auto` form: `Key: value`, in any order; what is not of that form is passed over. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/[\r\n]+/)) {
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(0, colon)).trim();
    if (/^[A-Za-z][\w ]*$/.test(key) && !fields.has(key)) fields.set(key, line.slice(colon + 1).trim());
  }
  return fields;
}

function count(field: string, value: string): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  if (!Number.isNaN(number)) {
    throw failure(
      `mod_status answered, but "${field}" is ${value.slice(0, 40)}, too large to be a count: the scoreboard is damaged. ` +
        'Stop Apache and start it again (a graceful restart keeps the scoreboard); if it comes back, some module writes into it',
    );
  }
  throw failure(
    `mod_status answered, but "${field}" is ${JSON.stringify(value.slice(0, 40))}, not a whole number. ` +
      'Is something between the balancer and Apache that changes the page?',
  );
}

/** States of the scoreboard in which a slot can take a request now or at once: open, starting, waiting, idle. */
const FREE_SLOTS = /[.SI_]/g;

/** How busy Apache is; undefined when the page does not say, or is inconsistent. */
function workersOf(fields: ReadonlyMap<string, string>): Workers | undefined {
  const number = (name: string) =>
    /^\d{1,7}$/.test(fields.get(name) ?? '') ? Number(fields.get(name)) : undefined;
  const [busy, idle] = [number('BusyWorkers'), number('IdleWorkers')];
  if (busy === undefined || idle === undefined) return undefined;
  const scoreboard = fields.get('Scoreboard');
  if (scoreboard === undefined || scoreboard === '') return { busy, idle };
  return { busy, idle, free: scoreboard.match(FREE_SLOTS)?.length ?? 0 };
}

/** Why a page that lacks the counters cannot be used, and what to do. */
function complaint(text: string, fields: ReadonlyMap<string, string>, path: string): string {
  if (['ServerUptimeSeconds', 'BusyWorkers', 'IdleWorkers', 'Scoreboard'].some(key => fields.has(key))) {
    return (
      'mod_status answered without "Total Accesses", because ExtendedStatus is Off. ' +
      'Put this line into the Apache configuration, outside of any <VirtualHost>, and reload Apache:\n' +
      '    ExtendedStatus On'
    );
  }
  if (/<h1>Apache (Server )?Status/i.test(text)) {
    return (
      'mod_status answered with its HTML page, as if "?auto" were missing. ' +
      'A proxy or a rewrite rule between the balancer and mod_status drops the query: ' +
      'point server_status_url at Apache itself, such as http://localhost/server-status'
    );
  }
  const what = text.trim() === '' ? 'the answer is empty' : 'the answer is another page';
  return (
    `this is not mod_status: ${what}. Either mod_status is not enabled, or an application ` +
    'answers for that address first. Run "a2enmod status" (Debian) and put this into the configuration of the ' +
    `server or virtual host that answers there, then reload Apache:\n${modStatusBlock(path)}`
  );
}

/**
 * Reads mod_status's machine-readable form (`?auto`). Fields may be in any order and any may be missing, depending on
 * version, MPM and traffic; only the two counters are needed.
 *
 * @param path where the page is, for the advice that an error gives
 * @throws {UserError} when the counters are not there, with what to put into Apache's configuration
 */
export function parseStatus(text: string, path = '/server-status'): StatusPage {
  const fields = fieldsOf(text);
  const accesses = fields.get('Total Accesses');
  const uptime = fields.get('ServerUptimeSeconds') ?? fields.get('Uptime');
  if (accesses === undefined || uptime === undefined) throw failure(complaint(text, fields, path));
  const restartTime = fields.get('RestartTime');
  const workers = workersOf(fields);
  const duration = fields.get('Total Duration') ?? '';
  return {
    totalAccesses: count('Total Accesses', accesses),
    serverUptimeSeconds: count('ServerUptimeSeconds', uptime),
    ...(restartTime !== undefined && { restartTime }),
    ...(workers !== undefined && { workers }),
    ...(/^\d{1,15}$/.test(duration) && { totalDuration: Number(duration) }),
  };
}
