import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { commandFailure, runCommand } from '../../os/command.ts';

/** A package that this master has. */
export type Package = {
  readonly name: string;
  readonly version: string;
  /** Whether somebody asked for it, not just another package. */
  readonly isManual: boolean;
};

/** All installed packages. */
export async function installedPackages(signal: AbortSignal): Promise<readonly Package[]> {
  const format = ['db:Status-Status', 'Package', 'Version'].map(it => `\${${it}}`).join(' ');
  const list = await output(['dpkg-query', '--show', `--showformat=${format}\n`], signal);
  const manual = new Set((await output(['apt-mark', 'showmanual'], signal)).split('\n'));
  return parsePackages(list, manual);
}

/** @param list a line for each: `installed NAME VERSION` */
export function parsePackages(list: string, manual: ReadonlySet<string>): readonly Package[] {
  return list.split('\n').flatMap(line => {
    const [status, name = '', version = ''] = line.split(' ');
    return status === 'installed' ? [{ name, version, isManual: manual.has(name) }] : [];
  });
}

async function output(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const ended = await runCommand(argv, { signal });
  if (ended.status !== 0) throw commandFailure(argv.slice(0, 2).join(' '), ended);
  return ended.stdout;
}

/**
 * The package of each file below these directories, and of the directories themselves, by dpkg.
 *
 * @param directories absolute, without a slash at the end
 */
export async function ownersBelow(
  directories: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (directories.length === 0) return new Map();
  const literally = directories.map(it => it.replaceAll(/[*?[\]\\]/g, '\\$&'));
  const patterns = literally.flatMap(it => [it, `${it}/*`]);
  const argv = ['dpkg-query', '--search', '--', ...patterns];
  const found = await runCommand(argv, { signal });
  // 1: no package has anything at one of the places.
  if (found.status !== 0 && found.status !== 1) throw commandFailure('dpkg-query --search', found);
  return parseOwners(found.stdout);
}

/** @param found a line for each: `NAME[:ARCHITECTURE], NAME: FILE`; lines about diversions have no single word for a name */
export function parseOwners(found: string): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const line of found.split('\n')) {
    const at = line.indexOf(': /');
    const [name = ''] = line.slice(0, Math.max(at, 0)).split(', ', 1);
    if (name !== '' && !name.includes(' ')) owners.set(line.slice(at + 2), name.split(':', 1)[0] ?? '');
  }
  return owners;
}

/**
 * The files of packages, below these directories, that somebody has changed: a patched module, for example.
 *
 * @param packages names
 */
export async function changedFiles(
  packages: readonly string[],
  directories: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const starts = directories.map(it => `${it}/`);
  const changed: string[] = [];
  for (const name of packages) {
    const sums = await runCommand(['dpkg-query', '--control-show', name, 'md5sums'], { signal });
    // A package may have none.
    if (sums.status !== 0) continue;
    for (const line of sums.stdout.split('\n')) {
      const [, sum, rest] = /^([0-9a-f]{32}) {2}(.+)$/.exec(line) ?? [];
      const place = `/${rest}`;
      if (rest === undefined || !starts.some(it => place.startsWith(it))) continue;
      const content = await readFile(place).catch(() => undefined);
      if (content === undefined) continue;
      if (createHash('md5').update(content).digest('hex') !== sum) changed.push(place);
    }
  }
  return changed;
}
