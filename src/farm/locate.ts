import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { failure, systemCode } from '../errors.ts';

/** Where GBrowse keeps its configuration: upstream's place, Debian's, the cloud image's. */
const PLACES = ['/etc/gbrowse2', '/etc/gbrowse', '/opt/gbrowse/etc'] as const;

/**
 * The path of `renderfarm.conf`, which need not exist yet: `[MASTER] renderfarm_conf` if that is set, else beside the
 * first `GBrowse.conf` that there is.
 *
 * @throws {UserError} when there is no GBrowse.conf
 */
export async function findRenderfarm(override?: string, places: readonly string[] = PLACES): Promise<string> {
  if (override !== undefined) return resolve(override);
  const refused: string[] = [];
  for (const place of places) {
    try {
      await stat(join(place, 'GBrowse.conf'));
      return join(place, 'renderfarm.conf');
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (!['ENOENT', 'ENOTDIR'].includes(code)) refused.push(`${place}: ${code}`);
    }
  }
  const why = refused.length > 0 ? ` (no access to ${refused.join(', ')})` : '';
  throw failure(
    `there is no GBrowse.conf in ${places.join(', ')}${why}: where is renderfarm.conf to be? ` +
      'Set [MASTER] renderfarm_conf to its path',
  );
}
