import { glob } from 'node:fs/promises';
import path from 'node:path';

const MAGIC = /[*?[]/;
const BRACES = /^(.*?)\{([^{}]*)\}(.*)$/s;

/**
 * The files that Perl's `glob` finds for one pattern: braces in their order, the matches of each sorted without regard
 * to case, no hidden files. A name without wildcards stands for itself, whether or not it is there.
 *
 * @param from the directory that a relative pattern starts at
 * @param expected a file that counts as existing even if it does not
 * @returns absolute paths
 */
export async function globFiles(
  pattern: string,
  from: string,
  expected?: string,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of expandBraces(pattern)) found.push(...(await matchesOf(one, from, expected)));
  return found;
}

function expandBraces(pattern: string): readonly string[] {
  const [, head = '', choices, tail = ''] = BRACES.exec(pattern) ?? [];
  if (choices === undefined) return [pattern];
  return choices.split(',').flatMap(choice => expandBraces(`${head}${choice}${tail}`));
}

async function matchesOf(pattern: string, from: string, expected?: string): Promise<readonly string[]> {
  const absolute = path.resolve(from, pattern);
  if (!MAGIC.test(pattern)) return [absolute];
  // Perl's glob does not know "**"; two stars are one.
  const single = absolute.replaceAll(/\*{2,}/g, '*');
  const found = new Set<string>();
  for await (const match of glob(single)) found.add(match);
  if (expected !== undefined && path.matchesGlob(expected, single)) found.add(expected);
  return [...found].sort(byName);
}

/** Without regard to case, then by code point: the same on every machine, whatever its locale. */
function byName(a: string, b: string): number {
  const [lowerA, lowerB] = [a.toLowerCase(), b.toLowerCase()];
  if (lowerA !== lowerB) return lowerA < lowerB ? -1 : 1;
  return a < b ? -1 : 1;
}
