import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
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

const LISTS = '/var/lib/dpkg/info';

/**
 * The package of each file below these directories, and of the directories themselves, by dpkg.
 *
 * @param directories absolute, without a slash at the end
 */
export async function ownersBelow(directories: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  const starts = directories.map(it => `${it}/`);
  const themselves = new Set(directories);
  for (const file of await readdir(LISTS)) {
    if (!file.endsWith('.list')) continue;
    const name = file.slice(0, -'.list'.length).split(':', 1)[0] ?? '';
    for (const line of (await readFile(path.join(LISTS, file), 'utf8')).split('\n')) {
      if (themselves.has(line) || starts.some(it => line.startsWith(it))) owners.set(line, name);
    }
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
): Promise<readonly string[]> {
  const starts = directories.map(it => `${it}/`);
  const changed: string[] = [];
  for (const file of await readdir(LISTS)) {
    const name = file.endsWith('.md5sums') ? file.slice(0, -'.md5sums'.length).split(':', 1)[0] : undefined;
    if (name === undefined || !packages.includes(name)) continue;
    for (const line of (await readFile(path.join(LISTS, file), 'utf8')).split('\n')) {
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
