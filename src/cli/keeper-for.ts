import { loadConfig } from '../config/load.ts';
import { findConfigFile } from '../config/locate.ts';
import { directKeeper } from '../daemon/direct-keeper.ts';
import { closeInheritedFiles } from '../daemon/inherited.ts';
import type { Keeper } from '../daemon/keeper.ts';
import { makeLockDirectory } from '../daemon/lock-directory.ts';
import { claimPidfile } from '../daemon/pidfile.ts';
import { dropPrivileges, lookUpAccount, mustBecome } from '../daemon/privileges.ts';
import { startKeeper } from '../daemon/start-keeper.ts';
import { createFarm } from '../farm/create.ts';
import { findRenderfarm } from '../farm/locate.ts';
import type { Given } from './given.ts';

/**
 * Claims the pidfile and, with `--user`, leaves the work that needs root to a process of its own and drops root's rights
 * in this one.
 */
export async function keeperFor(options: Given<'run'>): Promise<Keeper> {
  const configFile = options.conf ?? (await findConfigFile());
  const account = options.user === undefined ? undefined : await lookUpAccount(options.user);
  closeInheritedFiles();
  const becomes = account !== undefined && mustBecome(account) ? account : undefined;
  const pidfile = options.pidfile === undefined ? undefined : await claimPidfile(options.pidfile);
  const parts = { loadConfig, findRenderfarm, createFarm };
  const held = { configFile, parts, ...(pidfile !== undefined && { pidfile }) };
  if (becomes === undefined) return directKeeper(held);
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
