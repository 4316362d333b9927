import type { MasterConfig } from '../config/config.ts';
import { isUserError } from '../errors.ts';
import { installLive, makeListDirectory, removeLive } from './live.ts';
import { findRenderfarm } from './locate.ts';
import { createReload } from './reload.ts';

/** What was done and what could not be done, in sentences. */
type Installed = { readonly done: readonly string[]; readonly warnings: readonly string[] };

type Place = Pick<MasterConfig, 'renderfarmConf' | 'farmList' | 'reloadCommand'>;

/**
 * Prepares everything for `farm = live`: the directory of the list, and the line of Perl in the farm file. A GBrowse in
 * memory that has read the file before is told once, by `reload_command`.
 *
 * @param account the balancer's user, if root prepares it for another one
 * @throws {UserError} when that cannot be
 */
export async function installFarm(
  { renderfarmConf, farmList, reloadCommand }: Place,
  account: { readonly uid: number; readonly gid: number } | undefined,
): Promise<Installed> {
  const file = await findRenderfarm(renderfarmConf);
  if (account !== undefined) await makeListDirectory(farmList, account);
  if (!(await installLive(file, farmList))) return { done: [], warnings: [] };
  const told = await tell(file, reloadCommand);
  return {
    done: [`${file} now tells GBrowse to read the list of slaves ${farmList}`, ...told.done],
    warnings: told.warnings,
  };
}

/**
 * Takes the line of Perl out of the farm file.
 *
 * @throws {UserError} when that cannot be
 */
export async function uninstallFarm({
  renderfarmConf,
  reloadCommand,
}: Omit<Place, 'farmList'>): Promise<Installed> {
  const file = await findRenderfarm(renderfarmConf);
  if (!(await removeLive(file))) return { done: [], warnings: [] };
  const told = await tell(file, reloadCommand);
  return {
    done: [`${file} no longer names the list of slaves`, ...told.done],
    warnings: told.warnings,
  };
}

async function tell(file: string, reloadCommand: string): Promise<Installed> {
  try {
    const done = await createReload(file, reloadCommand)();
    return { done: done === undefined ? [] : [done], warnings: [] };
  } catch (error) {
    if (!isUserError(error)) throw error;
    return { done: [], warnings: [`GBrowse could not be told about the new ${file}: ${error.message}`] };
  }
}
