import { writeFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import type { GivenOptions } from '../cli/main.ts';
import { failure, messageOf } from '../errors.ts';
import { asJson } from './json.ts';
import { page } from './page/page.ts';
import { printed } from './print.ts';
import { rehearse } from './rehearse.ts';
import { readWish } from './wish.ts';

/**
 * What `simulate` does: reads load, configuration and prices, rehearses, and says what came of it.
 *
 * @returns the exit status
 */
export async function command(given: GivenOptions): Promise<number> {
  const { wish, remarks, price } = await readWish(given);
  const rehearsal = rehearse(wish);
  // Names of files, and what is in them, may hold anything.
  const about = { price, remarks: remarks.map(it => stripVTControlCharacters(it)) };
  if (typeof given.html === 'string') await write(given.html, page(rehearsal, about));
  process.stdout.write(
    given.json === true
      ? `${JSON.stringify(asJson(rehearsal, about), undefined, 2)}\n`
      : printed(rehearsal, about, {
          columns: columnsOf(process.stdout),
          unicode: isUtf8(process.env),
          colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
        }),
  );
  return 0;
}

function columnsOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true && columns !== undefined ? Math.min(Math.max(columns, 60), 200) : 80;
}

/** Whether the locale's characters are UTF-8 (locale(7): the first of these that is set decides). */
function isUtf8(environment: NodeJS.ProcessEnv): boolean {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  return /\.utf-?8/i.test(locale);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw failure(`${file}: cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
