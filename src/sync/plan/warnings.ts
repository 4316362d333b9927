import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { counted } from '../../format/numbers.ts';
import { readConfiguration } from '../../gbrowse/configuration.ts';
import { type DatabaseUse, databaseUses } from '../../gbrowse/database-paths.ts';
import { findInstallations } from '../../gbrowse/installations.ts';
import { findDatabases } from '../../master/databases.ts';
import type { SizedTree } from './measure.ts';
import { isInside, type Tree } from './trees.ts';

/** How many are named; a site that has moved its data may have thousands. */
const SHOWN = 5;

/**
 * What the administrator should know before the trees are copied: links that lead to where nothing is copied, and what
 * GBrowse's data sources open elsewhere.
 *
 * @param configFile where `[MASTER] databases` stands
 */
export async function warningsOf(
  trees: readonly SizedTree[],
  configFile: string,
): Promise<readonly string[]> {
  const copied = trees.map(({ tree }) => tree);
  const own = await findDatabases();
  return [...linksOut(trees), ...(await dataElsewhere(copied, await usesHere(), configFile, own))];
}

function linksOut(trees: readonly SizedTree[]): readonly string[] {
  return trees.flatMap(({ tree, size }) => {
    if (size.leadingOutCount === 0) return [];
    const more = size.leadingOutCount > size.leadingOut.length ? ', ...' : '';
    return [
      `${counted(size.leadingOutCount, 'symbolic link')} in ${tree.source} ${size.leadingOutCount === 1 ? 'leads' : 'lead'} to places outside of what is copied, so slaves may not find the data: ${size.leadingOut.join(', ')}${more}; add the directory to [MASTER] databases`,
    ];
  });
}

/** What the data sources of all GBrowses of this machine open. */
async function usesHere(): Promise<readonly DatabaseUse[]> {
  const { installations } = await findInstallations().catch(() => ({ installations: [] }));
  const configurations = await Promise.all(installations.map(it => readConfiguration(it.file)));
  return configurations.flatMap(databaseUses);
}

/**
 * Warnings for what data sources open and no tree holds: files and directories, with the line that adds them, and
 * servers that are not named.
 *
 * @param own GBrowse's own directory of databases: what lies in it is added as a whole
 */
export async function dataElsewhere(
  trees: readonly Tree[],
  uses: readonly DatabaseUse[],
  configFile: string,
  own?: string,
): Promise<readonly string[]> {
  const missed: { readonly where: string; readonly place: string; readonly directory: string }[] = [];
  const servers = new Map<string, string>();
  for (const use of uses) {
    const where = `data source ${use.source} (${use.file}:${use.number})`;
    if ('server' in use) {
      const server = SERVERS.find(it => it.driver.test(use.server));
      const isCopied = server === undefined || trees.some(it => it.kind === server.kind);
      if (!isCopied && !servers.has(server.option)) {
        servers.set(
          server.option,
          `${where} uses a ${server.name} database: if its server runs on this machine, slaves need its data too; add ${server.option}`,
        );
      }
      continue;
    }
    const real = await realpath(use.path).catch(() => undefined);
    if (real === undefined || isHeld(real, trees) || missed.some(it => it.place === use.path)) continue;
    const isDirectory = (await stat(real)).isDirectory();
    const nearest = isDirectory ? use.path : path.dirname(use.path);
    const directory = own !== undefined && isInside(nearest, own) ? own : nearest;
    missed.push({ where, place: use.path, directory });
  }
  return [...filesMissed(missed, trees, configFile), ...servers.values()];
}

const SERVERS = [
  { driver: /^(mysql|mariadb)$/i, kind: 'mysql', name: 'MySQL', option: '--mysql DATADIR' },
  { driver: /^pg$/i, kind: 'postgresql', name: 'PostgreSQL', option: '--postgres DATADIR' },
] as const;

function isHeld(real: string, trees: readonly Tree[]): boolean {
  return trees.some(({ source }) => isInside(real, source));
}

function filesMissed(
  missed: readonly { readonly where: string; readonly place: string; readonly directory: string }[],
  trees: readonly Tree[],
  configFile: string,
): readonly string[] {
  if (missed.length === 0) return [];
  const own = trees.filter(it => it.kind === 'databases').map(it => it.paths[0] ?? it.source);
  const added = outermost(missed.map(it => it.directory)).filter(it => it !== '/');
  const odd = added.some(it => /[\s#]/.test(it));
  const more = missed.length > SHOWN ? `; and ${missed.length - SHOWN} more` : '';
  return [
    `no copied directory holds what GBrowse opens, so slaves will not find it: ${missed
      .slice(0, SHOWN)
      .map(it => `${it.place} of ${it.where}`)
      .join('; ')}${more}. ${
      odd
        ? 'Move it to a directory whose path has no blanks, and add that to [MASTER] databases'
        : `Put this into [MASTER] of ${configFile}: databases = ${[...own, ...added].join(' ')}`
    }`,
  ];
}

/** Directories without those that lie inside of others. */
function outermost(directories: readonly string[]): readonly string[] {
  const all = [...new Set(directories)];
  return all.filter(it => !all.some(other => other !== it && isInside(it, other)));
}
