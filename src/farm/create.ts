import type { Farm } from './farm.ts';
import { readFarmFile, replaceFarmFile } from './farm-file.ts';
import { createReload } from './reload.ts';
import { isListed, listedIn, withList } from './renderfarm.ts';

/** The farm of a real GBrowse: `file` is its `renderfarm.conf`, `reloadCommand` is `[MASTER] reload_command`. */
export function createFarm({
  file,
  reloadCommand,
}: {
  readonly file: string;
  readonly reloadCommand: string;
}): Farm {
  let writing: Promise<void> = Promise.resolve();

  async function write(urls: readonly string[]): Promise<void> {
    const text = await readFarmFile(file);
    if (isListed(text ?? '', urls)) return;
    await replaceFarmFile(file, withList(text, urls));
  }

  return {
    read: async () => listedIn((await readFarmFile(file)) ?? ''),
    // One after the other: the last one asked for is what stays.
    write: urls => {
      writing = writing.catch(() => {}).then(() => write(urls));
      return writing;
    },
    reload: createReload(file, reloadCommand),
  };
}
