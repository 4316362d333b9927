import path from 'node:path';
import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { createLogFile } from '../daemon/create-log-file.ts';
import { directKeeper } from '../daemon/direct-keeper.ts';
import type { Keeper } from '../daemon/keeper.ts';
import { makeLockDirectory } from '../daemon/lock-directory.ts';
import { claimPidfile, type Pidfile } from '../daemon/pidfile.ts';
import { type Account, dropPrivileges, lookUpAccount, mustBecome } from '../daemon/privileges.ts';
import { startKeeper } from '../daemon/start-keeper.ts';
import { failure } from '../errors.ts';
import { createFarm } from '../farm/create.ts';
import { installFarm, uninstallFarm } from '../farm/install.ts';
import { findRenderfarm } from '../farm/locate.ts';
import { foreignPartOf } from '../os/root-path.ts';
import { makeStateDirectory } from '../os/state-directory.ts';
import type { Given } from './given.ts';

/**
 * Claims the pidfile and, with `--user`, drops root's rights in this process. With `farm = live` root writes GBrowse's
 * farm file before that, and no process keeps its rights; otherwise a separate process does the work that needs root.
 *
 * @throws {UserError} when root would act on a file that others can change
 */
export async function keeperFor(options: Given<'run'>): Promise<Keeper> {
  const pidfile = options.pidfile === undefined ? undefined : await claimPidfile(options.pidfile);
  try {
    return await keeperWith(options, pidfile);
  } catch (error) {
    await pidfile?.remove().catch(() => {});
    throw error;
  }
}

async function keeperWith(options: Given<'run'>, pidfile: Pidfile | undefined): Promise<Keeper> {
  const configFile = options.conf ?? (await findConfigFile());
  const account = options.user === undefined ? undefined : await lookUpAccount(options.user);
  const becomes = account !== undefined && mustBecome(account) ? account : undefined;
  const parts = { loadConfig, findRenderfarm, createFarm };
  const held = { configFile, parts, ...(pidfile !== undefined && { pidfile }) };
  const isRoot = process.geteuid?.() === 0;
  const warnings = isRoot && !options.dryRun ? await prepareLive(configFile, becomes) : undefined;
  if (!options.dryRun) await prepareState(configFile, becomes);
  if (becomes === undefined && isRoot) {
    await assertRoots(configFile);
    if (options.logfile !== undefined) await assertLogPlace(options.logfile);
  }
  if (becomes === undefined) return withWarnings(directKeeper(held), warnings ?? []);
  if (warnings === undefined) {
    const keeper = await startKeeper({
      ...held,
      account: becomes,
      ...(options.logfile !== undefined && { logFile: options.logfile }),
    });
    await keeper.reopenLog();
    makeLockDirectory(becomes);
    dropPrivileges(becomes);
    return keeper;
  }
  if (options.logfile !== undefined) await createLogFile(options.logfile, becomes);
  makeLockDirectory(becomes);
  dropPrivileges(becomes);
  return withWarnings(directKeeper(held), warnings);
}

/** Otherwise anybody who can change the configuration could make root run a command. */
async function assertRoots(configFile: string): Promise<void> {
  const foreign = await foreignPartOf(configFile, 'content');
  if (foreign === undefined) return;
  throw failure(
    `${configFile} is not used as root, because users other than root can change ${foreign.path}. Give it to root ` +
      '(chown root, chmod go-w; an access control list counts too), or run the balancer as another user (--user)',
  );
}

/** Nobody who can change the directory of root's log may redirect it while the balancer runs. */
async function assertLogPlace(logFile: string): Promise<void> {
  const foreign = await foreignPartOf(path.dirname(path.resolve(logFile)), 'content');
  if (foreign === undefined) return;
  throw failure(
    `root does not write the log file ${logFile}, because users other than root can change ${foreign.path}; name a file in ` +
      "one of root's directories with --logfile, or run the balancer as another user (--user)",
  );
}

/**
 * What root does for `farm = live`, and undoes for `farm = file`: a GBrowse that still reads the list knows no other
 * slaves.
 *
 * @returns what could not be done; undefined when the configuration does not say `live`, or root does not read it
 */
async function prepareLive(
  configFile: string,
  account: Account | undefined,
): Promise<readonly string[] | undefined> {
  if ((await foreignPartOf(configFile, 'content')) !== undefined) return undefined;
  const { master } = (await loadConfig(configFile)).config;
  if (master.farm !== 'live') {
    await uninstallFarm(master);
    return undefined;
  }
  return (await installFarm(master, account)).warnings;
}

/** If the directory cannot be made, the first write into it reports that later. */
async function prepareState(configFile: string, account: Account | undefined): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot && (await foreignPartOf(configFile, 'content')) !== undefined) return;
  const { config } = await loadConfig(configFile);
  await makeStateDirectory(config.master.stateDirectory, account).catch(() => {});
}

function withWarnings(keeper: Keeper, warnings: readonly string[]): Keeper {
  let isFirst = true;
  return {
    ...keeper,
    async readConfig() {
      const loaded = await keeper.readConfig();
      const all = isFirst ? [...loaded.warnings, ...warnings] : loaded.warnings;
      isFirst = false;
      return { ...loaded, warnings: all };
    },
  };
}
