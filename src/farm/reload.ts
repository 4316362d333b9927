import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SECOND } from '../clock.ts';
import { failure, systemCode } from '../errors.ts';
import { type RunningProcess, seesFile, startOf } from '../os/process.ts';
import { findResidents, type Resident, restartGracefully } from './apache.ts';
import { runReloadCommand } from './reload-command.ts';

/**
 * The start of a process and the change of a file come from different clocks: in doubt, GBrowse has read the old file.
 */
const DOUBT = 1 * SECOND;

/** `findResidents`, or its replacement in a test. */
type FindResidents = typeof findResidents;

/** The state of a file, which differs after each change; undefined when there is none. */
async function stateOf(file: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw failure(`cannot examine ${file}: ${systemCode(error)}`, { cause: error });
  }
}

/** Each Apache with a GBrowse in memory that may have read the file before its last change. */
async function restartWhereNeeded(
  file: string,
  changedAt: number,
  find: FindResidents,
): Promise<string | undefined> {
  const stale = find(Date.now()).filter(
    ({ process }) => startOf(process) < changedAt + DOUBT && seesFile(process.pid, file),
  );
  const apaches = new Map<
    number,
    { readonly apache: RunningProcess; readonly ways: Set<Resident['runsAs']> }
  >();
  for (const { apache, runsAs } of stale) {
    const known = apaches.get(apache.pid) ?? { apache, ways: new Set() };
    known.ways.add(runsAs);
    apaches.set(apache.pid, known);
  }
  const done: string[] = [];
  for (const { apache, ways } of apaches.values()) {
    await restartGracefully(apache);
    done.push(
      `Apache (pid ${apache.pid}) was restarted gracefully: GBrowse runs as ${[...ways].join(' and ')}`,
    );
  }
  return done.length > 0 ? done.join('; ') : undefined;
}

/**
 * How Apache learns about a new farm file (`Farm.reload`): once for each state of the file. Called again without a
 * change it does nothing; after a failure it tries again. A process does not know what its predecessor did, so `auto`
 * goes by what it finds, and a command is run at the first call.
 *
 * @param command `[MASTER] reload_command`. `auto`: an Apache under which GBrowse stays in memory (FastCGI, mod_perl)
 *   since before the file's last change is restarted gracefully; a CGI reads the file for each request. `none`:
 *   nothing. Else a command for /bin/sh
 */
export function createReload(
  file: string,
  command: string,
  find: FindResidents = findResidents,
): () => Promise<string | undefined> {
  let told: string | undefined;

  async function tell(changedAt: number): Promise<string | undefined> {
    if (command === 'auto') return restartWhereNeeded(file, changedAt, find);
    await runReloadCommand(command);
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
