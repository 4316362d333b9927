import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** How a GBrowse.conf stands to a file. */
export type Inclusion = {
  readonly included: boolean;
  /** The line of GBrowse.conf that sets the farm after the inclusion, and so has the last word. */
  readonly overriddenAt?: number;
};

/** Includes within includes; GBrowse itself has no limit. */
const DEEPEST = 5;
const INCLUDE = /^#include\s+(?:"([^"]*)"|'([^']*)'|(\S+))/i;
const FARM_SETTING = /^(renderfarm|remote renderer)\s*=/i;

/**
 * Whether a GBrowse.conf includes a file, as Bio::Graphics::FeatureFile reads it: `#include` at the start of a line, in
 * any case, in quotes or not, with wildcards, relative to the file that it stands in.
 */
export async function inclusionOf(gbrowseConf: string, file: string): Promise<Inclusion> {
  const text = await readFile(gbrowseConf, 'utf8');
  let included = false;
  for (const [at, line] of text.split('\n').entries()) {
    if (included && FARM_SETTING.test(line)) return { included, overriddenAt: at + 1 };
    included ||= await includes(line, gbrowseConf, file, DEEPEST);
  }
  return { included };
}

async function includes(line: string, from: string, file: string, depth: number): Promise<boolean> {
  const [, double, single, plain] = INCLUDE.exec(line) ?? [];
  const pattern = double ?? single ?? plain;
  if (pattern === undefined || depth === 0) return false;
  const target = path.resolve(path.dirname(from), pattern);
  if (matchesPath(target, path.resolve(file))) return true;
  const text = await readFile(target, 'utf8').catch(() => '');
  for (const inner of text.split('\n')) if (await includes(inner, target, file, depth - 1)) return true;
  return false;
}

/** The shell's wildcards, which do not cross a slash. */
function matchesPath(pattern: string, file: string): boolean {
  const source = pattern.replaceAll(/[\\^$.|+()[\]{}*?]/g, special => {
    if (special === '*') return '[^/]*';
    return special === '?' ? '[^/]' : `\\${special}`;
  });
  return new RegExp(`^${source}$`).test(file);
}
