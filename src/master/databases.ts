import { stat } from 'node:fs/promises';

/** Where GBrowse keeps its databases: upstream's place, Debian's, the GBrowse cloud machine's. */
const PLACES: readonly string[] = [
  '/var/lib/gbrowse2/databases',
  '/var/lib/gbrowse/databases',
  '/opt/gbrowse/databases',
];

/** The first of the places that is there; undefined when there is none. */
export async function findDatabases(places: readonly string[] = PLACES): Promise<string | undefined> {
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found?.isDirectory() === true) return place;
  }
  return undefined;
}
