import { stat } from 'node:fs/promises';
import { readConfiguration } from '../gbrowse/configuration.ts';
import { databaseDirectory } from '../gbrowse/database-paths.ts';
import { findInstallations } from '../gbrowse/installations.ts';

/** Where GBrowse keeps its databases: upstream's place, Debian's, the GBrowse cloud machine's. */
const PLACES: readonly string[] = [
  '/var/lib/gbrowse2/databases',
  '/var/lib/gbrowse/databases',
  '/opt/gbrowse/databases',
];

/**
 * The directory of GBrowse's databases: `db_base` of the GBrowse that visitors see, else the first of the usual places;
 * undefined when none is there.
 *
 * @param base finds `db_base`
 */
export async function findDatabases(
  places: readonly string[] = PLACES,
  base: () => Promise<string | undefined> = databaseBaseHere,
): Promise<string | undefined> {
  const own = await base();
  for (const place of own === undefined ? places : [own, ...places]) {
    const found = await stat(place).catch(() => undefined);
    if (found?.isDirectory() === true) return place;
  }
  return undefined;
}

async function databaseBaseHere(): Promise<string | undefined> {
  const { installations } = await findInstallations().catch(() => ({ installations: [] }));
  const [first] = installations;
  if (first === undefined) return undefined;
  return databaseDirectory(await readConfiguration(first.file));
}
