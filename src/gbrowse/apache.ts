import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { globFiles } from './glob.ts';
import type { Place } from './lines.ts';
import { readTextFile } from './read-file.ts';

/** A directory of GBrowse's configuration that Apache's names, and the line. */
export type Named = Place & { readonly directory: string };

/** Apache's main file: Debian's, Red Hat's, upstream's; and the files that its start script reads. */
const MAIN_FILES = [
  '/etc/apache2/apache2.conf',
  '/etc/httpd/conf/httpd.conf',
  '/etc/apache2/httpd.conf',
  '/usr/local/apache2/conf/httpd.conf',
  '/etc/apache2/envvars',
  '/etc/sysconfig/httpd',
] as const;

const MOST_FILES = 500;
const INCLUDE = /^[ \t]*Include(?:Optional)?[ \t]+(?:"([^"]*)"|'([^']*)'|(\S+))/gim;
const SERVER_ROOT = /^[ \t]*ServerRoot[ \t]+"?([^"\n]+)/im;
/** `SetEnv`, `PerlSetEnv` and `FcgidInitialEnv`, `-initial-env` of mod_fastcgi, `export` in a start script. */
const VARIABLE = new RegExp(
  [
    String.raw`^[ \t]*(?:SetEnv|PerlSetEnv|FcgidInitialEnv)[ \t]+GBROWSE_CONF[ \t]+["']?([^"'\s]+)`,
    String.raw`^[ \t]*FastCgi(?:\\\n|[^\n]){0,2000}?-initial-env\s+GBROWSE_CONF=["']?([^"'\s]+)`,
    String.raw`^[ \t]*(?:export[ \t]+)?GBROWSE_CONF=["']?([^"'\s;]+)`,
  ].join('|'),
  'gim',
);

/**
 * The values of GBROWSE_CONF in Apache's configuration, in its order. What cannot be read is left out, and whether a
 * module or a condition is in force is not looked at.
 */
export async function namedByApache(mainFiles: readonly string[] = MAIN_FILES): Promise<readonly Named[]> {
  const found: Named[] = [];
  const seen = new Set<string>();
  for (const file of mainFiles) await collect(file, undefined, seen, found);
  return found;
}

async function collect(
  file: string,
  serverRoot: string | undefined,
  seen: Set<string>,
  found: Named[],
): Promise<void> {
  if (seen.has(file) || seen.size >= MOST_FILES) return;
  seen.add(file);
  const text = await readTextFile(file).catch(() => undefined);
  if (text === undefined) return;
  const root = serverRoot ?? SERVER_ROOT.exec(text)?.[1]?.trim() ?? rootOf(file);
  for (const match of text.matchAll(VARIABLE)) {
    const directory = match[1] ?? match[2] ?? match[3];
    const number = text.slice(0, match.index + match[0].length).split('\n').length;
    if (directory !== undefined && path.isAbsolute(directory)) found.push({ file, number, directory });
  }
  for (const [, double, single, plain] of text.matchAll(INCLUDE)) {
    const pattern = double ?? single ?? plain;
    if (pattern === undefined) continue;
    for (const included of await globFiles(pattern, root)) {
      for (const one of await filesBelow(included)) await collect(one, root, seen, found);
    }
  }
}

/** Debian's configuration starts at its own directory, Red Hat's at the one above `conf`. */
function rootOf(file: string): string {
  const directory = path.dirname(file);
  return path.basename(directory) === 'conf' ? path.dirname(directory) : directory;
}

/** A directory that Apache includes stands for all that lies in it. */
async function filesBelow(target: string): Promise<readonly string[]> {
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory() !== true) return [target];
  const names = await readdir(target).catch(() => []);
  return names.sort().map(name => path.join(target, name));
}
