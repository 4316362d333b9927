import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { assertOurs, restartGracefully } from './graceful.ts';
import { type Process, seesFile } from './processes.ts';
import { findResidents, type Resident } from './resident.ts';
import { retire } from './retire.ts';
import { run } from './run.ts';

const TIME_LIMIT = 60 * SECOND;
/** A process's start and a file's change are told by different clocks: in doubt, GBrowse has read the old file. */
const DOUBT = 1 * SECOND;

/** `findResidents`, or what stands in for it in a test. */
type FindResidents = typeof findResidents;

/** What a file is until its next change; undefined where there is none. */
async function stateOf(file: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw failure(`cannot look at ${file}: ${systemCode(error)}`, { cause: error });
  }
}

/** The GBrowses in memory that may have read the file before its last change. */
async function staleResidents(file: string, changedAt: number, find: FindResidents): Promise<Resident[]> {
  const residents = await find(Date.now());
  const old = residents.filter(({ process }) => process.startedAt < changedAt + DOUBT);
  const concerned = await Promise.all(old.map(({ process }) => seesFile(process.pid, file)));
  return old.filter((_, at) => concerned[at]);
}

/** The Apaches of these, each once. */
function apachesOf(residents: readonly Resident[]): Process[] {
  const apaches = new Map<number, Process>();
  for (const { apache } of residents) if (apache !== undefined) apaches.set(apache.pid, apache);
  return [...apaches.values()];
}

/** mod_perl: with its Apache. FastCGI: by itself, since a restart of Apache ends it in the middle of a request. */
async function restartWhereNeeded(
  file: string,
  changedAt: number,
  find: FindResidents,
): Promise<string | undefined> {
  const stale = await staleResidents(file, changedAt, find);
  const apaches = apachesOf(stale.filter(({ runsAs }) => runsAs === 'mod_perl'));
  for (const apache of apaches) await restartGracefully(apache);
  const fastCgi = stale.filter(({ runsAs, apache }) => runsAs === 'FastCGI' && apache !== undefined);
  for (const apache of apachesOf(fastCgi)) await assertOurs(apache);
  const retired = await retire(fastCgi.map(({ process }) => process));
  // Where its socket is out of reach (a sandbox, another root) that is all that can be done.
  if (!retired) for (const apache of apachesOf(fastCgi)) await restartGracefully(apache);

  // What a GBrowse has started to draw with looks like itself, and ends by itself.
  const parents = new Set(stale.map(({ process }) => process.pid));
  const alone = stale.find(({ apache, process }) => apache === undefined && !parents.has(process.parent));
  if (alone !== undefined) {
    throw failure(
      `GBrowse (pid ${alone.process.pid}) runs as FastCGI outside of Apache, so it does not see the change of ${file}. ` +
        'Set [MASTER] reload_command to the command that restarts it; end the process if it was left over',
    );
  }
  const done = [
    ...apaches.map(({ pid }) => `Apache (pid ${pid}) was restarted gracefully: GBrowse runs as mod_perl`),
    ...apachesOf(fastCgi).map(({ pid }) =>
      retired
        ? `GBrowse starts anew under Apache (pid ${pid}): it runs as FastCGI`
        : `Apache (pid ${pid}) was restarted gracefully: GBrowse runs as FastCGI`,
    ),
  ];
  return done.length > 0 ? done.join('; ') : undefined;
}

/**
 * How Apache learns of a new farm file (`Farm.reload`). Once for each state of the file: called again without a change
 * in between it does nothing, and after a failure it tries again. Since a process knows nothing of what the one before
 * it has told, `auto` goes by what it finds, and a command is run once at the first call.
 *
 * @param command `[MASTER] reload_command`. `auto`: each GBrowse that stays in memory and was started before the file's
 *   last change is started anew: as FastCGI by itself, between two requests (where that cannot be done, and as mod_perl,
 *   by a graceful restart of its Apache). A CGI reads the file anew for each request. `none`: nothing. Else a command for /bin/sh
 */
export function createReload(
  file: string,
  command: string,
  find: FindResidents = findResidents,
): () => Promise<string | undefined> {
  let told: string | undefined;

  async function tell(changedAt: number): Promise<string | undefined> {
    if (command === 'auto') return restartWhereNeeded(file, changedAt, find);
    await run(['/bin/sh', '-c', command], { timeLimit: TIME_LIMIT, what: '[MASTER] reload_command' });
    return 'reload_command was run';
  }

  return async () => {
    if (command === 'none') return undefined;
    const state = await stateOf(file);
    if (state === undefined) return undefined;
    const version = `${state.ino} ${state.mtimeNs} ${state.size}`;
    if (version === told) return undefined;
    const done = await tell(Number(state.mtimeMs));
    told = version;
    return done;
  };
}
