import { chown, lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { failure, isUserError, messageOf, systemCode } from '../errors.ts';
import { replaceFile } from '../os/replace-file.ts';
import { foreignPartOf } from '../os/root-path.ts';
import type { Farm } from './farm.ts';
import { advice, readFarmFile, replaceFarmFile } from './farm-file.ts';
import { livePerlLines } from './live-perl.ts';
import { runReloadCommand } from './reload-command.ts';
import { listedIn, settingIn, withSettings } from './renderfarm.ts';
import { isSlaveUrl } from './slave-url.ts';

const LIST_SETTING = 'renderfarm list';

/** The farm file with the line of Perl that has GBrowse read `list`; its `remote renderer` and all other lines stay. */
export function withLive(text: string | undefined, list: string): string {
  const [first = '', ...rest] = livePerlLines();
  const perl = `renderfarm = ${first}\n${rest.map(line => `\t${line}\n`).join('')}`;
  return withSettings(text, { [LIST_SETTING]: `renderfarm list = ${list}\n`, renderfarm: perl });
}

/** The farm file without it: then the administrator's own slaves are the farm. */
export function withoutLive(text: string): string {
  if (settingIn(text, LIST_SETTING) === undefined) return text;
  const isOn = listedIn(withSettings(text, { renderfarm: 'renderfarm = 1\n' })).length > 0;
  return withSettings(text, { [LIST_SETTING]: '', renderfarm: `renderfarm = ${isOn ? 1 : 0}\n` });
}

/** Whether a farm file has GBrowse read that list, with this program's line of Perl. */
export function isLive(text: string, list: string): boolean {
  return (
    settingIn(text, LIST_SETTING) === list &&
    settingIn(text, 'renderfarm')?.replace(/\s+/g, ' ') === livePerlLines().join(' ').replace(/\s+/g, ' ')
  );
}

/**
 * Writes the line of Perl into the farm file, unless it is there already. Root writes only where nobody else can change
 * the path.
 *
 * @returns whether it had to be written
 * @throws {UserError} when it cannot be written
 */
export async function installLive(file: string, list: string): Promise<boolean> {
  const text = await readFarmFile(file);
  if (text !== undefined && isLive(text, list)) return false;
  await replaceFarmFile(file, withLive(text, list));
  return true;
}

/** @returns whether there was anything to remove */
export async function removeLive(file: string): Promise<boolean> {
  const text = await readFarmFile(file);
  const without = text === undefined ? undefined : withoutLive(text);
  if (without === undefined || without === text) return false;
  await replaceFarmFile(file, without);
  return true;
}

/**
 * Makes the directory of the list for the balancer's user. Only for root.
 *
 * @throws {UserError} when it cannot be made, or others could put something else there
 */
export async function makeListDirectory(
  list: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const directory = path.dirname(list);
  try {
    const foreign = await foreignPartOf(path.dirname(directory), 'content');
    if (foreign !== undefined) throw failure(`users other than root can change ${foreign.path}`);
    await mkdir(path.dirname(directory), { recursive: true, mode: 0o755 });
    await mkdir(directory, { mode: 0o755 }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
    // Only root can have put it there.
    const found = await lstat(directory);
    if (!found.isDirectory()) throw failure(`${directory} is not a directory`);
    if (found.uid !== uid || found.gid !== gid) await chown(directory, uid, gid);
  } catch (error) {
    throw failure(
      `the directory ${directory} for the list of slaves cannot be created: ${messageOf(error)}; ` +
        'set [MASTER] farm_list to a file elsewhere',
      { cause: error },
    );
  }
}

/**
 * The farm of a GBrowse that reads the list by itself: nothing in it needs root.
 *
 * @param file GBrowse's farm file, which names the list
 * @param reloadCommand `[MASTER] reload_command`; `auto` is nothing here
 */
export function createLiveFarm({
  file,
  list,
  reloadCommand,
}: {
  readonly file: string;
  readonly list: string;
  readonly reloadCommand: string;
}): Farm {
  let writing: Promise<void> = Promise.resolve();
  let isChanged = true;

  async function assertInstalled(): Promise<void> {
    if (isLive((await readFarmFile(file)) ?? '', list)) return;
    throw failure(
      `${file} does not tell GBrowse to read the list of slaves ${list} ([MASTER] farm = live); ` +
        'as root: gbrowse-aws-balancer farm --install',
    );
  }

  async function write(urls: readonly string[]): Promise<void> {
    await assertInstalled();
    try {
      // GBrowse runs as another user. The directory may belong to another user: a link in it is replaced, not followed.
      await replaceFile(list, urls.map(url => `${url}\n`).join(''), {
        attributes: { mode: 0o644 },
        force: true,
        replaceLink: true,
      });
    } catch (error) {
      if (isUserError(error)) throw error;
      throw failure(
        `cannot write the list of slaves ${list}: ${advice(error, path.dirname(list), 'list of slaves')}`,
        { cause: error },
      );
    }
    isChanged = true;
  }

  return {
    async read() {
      await assertInstalled();
      // Anything else is not ours, and may come from a file that others must not see.
      return ((await readFarmFile(list, 'list of slaves')) ?? '').split(/\s+/).filter(isSlaveUrl);
    },
    // One after the other: the last request wins.
    write: urls => {
      writing = writing.catch(() => {}).then(() => write(urls));
      return writing;
    },
    async reload() {
      if (!isChanged || reloadCommand === 'auto' || reloadCommand === 'none') return undefined;
      await runReloadCommand(reloadCommand);
      isChanged = false;
      return 'reload_command was run';
    },
  };
}
