import type { Farm } from './farm.ts';
import { readFarmFile, replaceFarmFile } from './farm-file.ts';
import { createLiveFarm } from './live.ts';
import { createReload } from './reload.ts';
import { listedIn, ownIn, withOwn } from './renderfarm.ts';

/** Where a farm is: GBrowse's `renderfarm.conf`, and the options of `[MASTER]` of the same names. */
export type FarmPlace = {
  readonly file: string;
  readonly reloadCommand: string;
  /** The list that GBrowse reads with `farm = live`. */
  readonly list?: string;
};

/** The farm of a real GBrowse. */
export function createFarm({ file, reloadCommand, list }: FarmPlace): Farm {
  if (list !== undefined) return createLiveFarm({ file, list, reloadCommand });
  let writing: Promise<void> = Promise.resolve();

  async function write(urls: readonly string[]): Promise<void> {
    const text = await readFarmFile(file);
    const wanted = withOwn(text, urls);
    if (wanted !== (text ?? '')) await replaceFarmFile(file, wanted);
  }

  return {
    async read() {
      const text = (await readFarmFile(file)) ?? '';
      const own = ownIn(text);
      return listedIn(text).filter(url => own.includes(url));
    },
    // One after the other: the last request wins.
    write: urls => {
      writing = writing.catch(() => {}).then(() => write(urls));
      return writing;
    },
    reload: createReload(file, reloadCommand),
  };
}
