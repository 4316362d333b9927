import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { globFiles } from './glob.ts';
import type { Place } from './lines.ts';
import { readTextFile } from './read-file.ts';

/** A directory of GBrowse's configuration that Apache's names, and the line. */
export type Named = Place & { readonly directory: string };

/** What Apache sets a variable of GBrowse's environment to, and the line. */
type Assignment = Place & { readonly value: string };

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
function assignmentsOf(variable: string): RegExp {
  return new RegExp(
    [
      String.raw`^[ \t]*(?:SetEnv|PerlSetEnv|FcgidInitialEnv)[ \t]+${variable}[ \t]+["']?([^"'\s]+)`,
      String.raw`^[ \t]*FastCgi(?:\\\n|[^\n]){0,2000}?-initial-env\s+${variable}=["']?([^"'\s]+)`,
      String.raw`^[ \t]*(?:export[ \t]+)?${variable}=["']?([^"'\s;]+)`,
    ].join('|'),
    'gim',
  );
}

/**
 * The values of GBROWSE_CONF in Apache's configuration, in its order. What cannot be read is left out, and whether a
 * module or a condition is in force is not looked at.
 */
export async function namedByApache(mainFiles: readonly string[] = MAIN_FILES): Promise<readonly Named[]> {
  const found = await assignedByApache('GBROWSE_CONF', mainFiles);
  return found.flatMap(({ value, ...place }) =>
    path.isAbsolute(value) ? [{ ...place, directory: value }] : [],
  );
}

/** The first value of GBROWSE_MASTER in Apache's configuration: the name of GBrowse's main file. */
export async function masterOfApache(mainFiles: readonly string[] = MAIN_FILES): Promise<string | undefined> {
  const [first] = await assignedByApache('GBROWSE_MASTER', mainFiles);
  return first?.value;
}

/** The directories that Apache's configuration puts before those where Perl looks for GBrowse's modules (PERL5LIB). */
export async function perlLibrariesOfApache(
  mainFiles: readonly string[] = MAIN_FILES,
): Promise<readonly string[]> {
  const found = await assignedByApache('PERL5LIB', mainFiles);
  return [...new Set(found.flatMap(({ value }) => value.split(':')))].filter(it => path.isAbsolute(it));
}

async function assignedByApache(
  variable: string,
  mainFiles: readonly string[],
): Promise<readonly Assignment[]> {
  const found: Assignment[] = [];
  const search = { pattern: assignmentsOf(variable), seen: new Set<string>(), found };
  for (const file of mainFiles) await collect(file, undefined, search);
  return found;
}

async function collect(
  file: string,
  serverRoot: string | undefined,
  search: { readonly pattern: RegExp; readonly seen: Set<string>; readonly found: Assignment[] },
): Promise<void> {
  const { pattern: variable, seen, found } = search;
  if (seen.has(file) || seen.size >= MOST_FILES) return;
  seen.add(file);
  const text = await readTextFile(file).catch(() => undefined);
  if (text === undefined) return;
  const root = serverRoot ?? SERVER_ROOT.exec(text)?.[1]?.trim() ?? rootOf(file);
  for (const match of text.matchAll(variable)) {
    const value = match[1] ?? match[2] ?? match[3];
    const number = text.slice(0, match.index + match[0].length).split('\n').length;
    if (value !== undefined) found.push({ file, number, value });
  }
  for (const [, double, single, plain] of text.matchAll(INCLUDE)) {
    const pattern = double ?? single ?? plain;
    if (pattern === undefined) continue;
    for (const included of await globFiles(pattern, root)) {
      for (const one of await filesBelow(included)) await collect(one, root, search);
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
