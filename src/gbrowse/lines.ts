import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, systemCode } from '../errors.ts';
import { globFiles } from './glob.ts';
import { readTextFile } from './read-file.ts';
import { shellwords } from './shellwords.ts';

/** A place in a configuration; `number` counts from 1. */
export type Place = { readonly file: string; readonly number: number };

/** A line, in the order in which GBrowse reads it. */
export type Line = Place & { readonly text: string };

/**
 * A reason why the lines are not all that GBrowse reads. `fatal`: GBrowse itself ends there, with an error for every
 * visitor.
 */
export type Trouble = Place & { readonly message: string; readonly fatal: boolean };

/** A configuration file with everything that it includes. */
export type Expanded = {
  readonly lines: readonly Line[];
  /** Every file that was read, the first one first. */
  readonly files: readonly string[];
  readonly troubles: readonly Trouble[];
};

/** A file that counts as existing with this text, even if it does not: the farm file, which the balancer makes. */
export type Expected = { readonly file: string; readonly text: string };

const INCLUDE = /^#include\s+(.+)/i;
const EXEC = /^#exec\s+(.+)/i;
/** More than any site has; GBrowse itself has no limits. */
const DEEPEST = 20;
const MOST_FILES = 1000;
const MOST_LINES = 500_000;

/**
 * A configuration as one stream of lines, as Bio::Graphics::FeatureFile reads it: `#include` at the start of a line, in
 * any case, with quotes and wildcards, from the directory of the file that it stands in. `#exec` is not run.
 */
export async function expandLines(file: string, expected?: Expected): Promise<Expanded> {
  const lines: Line[] = [];
  const files: string[] = [];
  const troubles: Trouble[] = [];
  const included = new Set<string>();

  async function include(pattern: string, from: string, at: Place, depth: number): Promise<boolean> {
    for (const found of await globFiles(pattern, from, expected?.file)) {
      if (depth > DEEPEST || files.length >= MOST_FILES || lines.length >= MOST_LINES) {
        troubles.push({ ...at, message: 'too many includes, the rest was not read', fatal: false });
        return false;
      }
      // GBrowse skips what follows a file that it cannot read.
      if (!(await read(found, at, depth))) return true;
      if (troubles.some(({ fatal }) => fatal)) return false;
    }
    return true;
  }

  async function read(name: string, at: Place, depth: number): Promise<boolean> {
    const own = await textOf(name, expected);
    if ('reason' in own) {
      troubles.push({ ...at, message: `${name} cannot be read: ${own.reason}`, fatal: false });
      return false;
    }
    files.push(own.file);
    for (const [index, text] of own.text.replace(/\n$/, '').split('\n').entries()) {
      const here = { file: own.file, number: index + 1 };
      const [, directive] = INCLUDE.exec(text) ?? [];
      if (directive !== undefined) {
        const [wanted] = shellwords(directive.trim());
        if (wanted === undefined) continue;
        if (included.has(wanted)) {
          const message = `includes ${wanted} a second time, which GBrowse treats as a loop and rejects`;
          troubles.push({ ...here, message, fatal: true });
          return true;
        }
        included.add(wanted);
        if (!(await include(wanted, path.dirname(own.file), here, depth + 1))) return true;
      } else if (EXEC.test(text)) {
        const message = 'runs a program whose output GBrowse reads, which is not checked';
        troubles.push({ ...here, message, fatal: false });
      } else {
        lines.push({ ...here, text: text.replaceAll('\r', '').trimEnd() });
      }
    }
    return true;
  }

  await include(file, path.dirname(file), { file, number: 0 }, 0);
  return { lines, files, troubles };
}

/** Its directory without links: GBrowse changes into it, and goes on from there. */
async function textOf(
  name: string,
  expected?: Expected,
): Promise<{ readonly file: string; readonly text: string } | { readonly reason: string }> {
  try {
    const file = await physical(name);
    return { file, text: await readTextFile(file) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && name === expected?.file) return expected;
    return { reason: systemCode(error) === 'ENOENT' ? 'it does not exist' : messageOf(error) };
  }
}

/** A path whose directory has no links in it; the last part may be one. */
export async function physical(file: string): Promise<string> {
  return path.join(await realpath(path.dirname(file)), path.basename(file));
}
