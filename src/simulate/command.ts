import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Given } from '../cli/given.ts';
import { VERSION } from '../cli/version.ts';
import { failure, messageOf, systemCode } from '../errors.ts';
import { ownerFor, replaceFileAs } from '../os/owner-rights.ts';
import { foreignPartOf } from '../os/root-path.ts';
import { lookOf } from '../terminal/look.ts';
import { asJson } from './json.ts';
import { simulationOptions } from './options.ts';
import { page } from './page/page.ts';
import { printed } from './print.ts';
import { simulate } from './simulate.ts';

/** Columns that the table needs, and the most that a chart is drawn over. */
const NARROWEST = 60;
const WIDEST = 200;

/**
 * What `simulate` does: reads load, configuration and prices, simulates, and reports the result.
 *
 * @returns the exit status
 */
export async function command(given: Given<'simulate'>): Promise<number> {
  const { options, remarks, price } = await simulationOptions(given);
  const simulation = simulate(options);
  // Names of files, and their contents, may contain anything.
  const about = { price, remarks: remarks.map(it => stripVTControlCharacters(it)) };
  const madeBy = `gbrowse-aws-balancer ${VERSION}, ${new Date().toISOString().slice(0, 10)}`;
  if (given.html !== undefined) await writePage(given.html, page(simulation, { ...about, madeBy }));
  const { width, colour, utf8 } = lookOf(process.stdout, process.env);
  process.stdout.write(
    given.json
      ? `${JSON.stringify(asJson(simulation, about), undefined, 2)}\n`
      : printed(simulation, about, {
          columns: Math.min(Math.max(width, NARROWEST), WIDEST),
          unicode: utf8,
          colour,
        }),
  );
  return 0;
}

function reasonOf(file: string, error: unknown): string {
  const directory = path.dirname(path.resolve(file));
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no directory ${directory}; create it, or name another file with --html`;
    case 'EISDIR':
      return 'that is a directory; name a file in it with --html';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; name a file with --html in a directory that you may write to';
    default:
      return messageOf(error);
  }
}

/**
 * Writes the page of `--html`.
 *
 * @throws {UserError} when it cannot be written
 */
export async function writePage(file: string, text: string): Promise<void> {
  try {
    // In /tmp, say, anybody can plant a link to one of root's files: whatever is there is replaced, not written
    // through.
    const isOthers = process.geteuid?.() === 0 && (await foreignPartOf(file, 'place')) !== undefined;
    if (isOthers) await replaceFileAs(await ownerFor(file), file, text);
    else await writeFile(file, text);
  } catch (error) {
    throw failure(`${file} cannot be written: ${reasonOf(file, error)}`, { cause: error });
  }
}
