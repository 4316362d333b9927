import { join, resolve } from 'node:path';
import { failure } from '../errors.ts';
import { findInstallations, type Surroundings, USUAL_PLACES } from '../gbrowse/installations.ts';

/**
 * The path of `renderfarm.conf`, which need not exist yet: `[MASTER] renderfarm_conf` if that is set, else beside the
 * GBrowse.conf that visitors' pages come from (`findInstallations`).
 *
 * @throws {UserError} when there is no GBrowse.conf
 */
export async function findRenderfarm(override?: string, surroundings: Surroundings = {}): Promise<string> {
  if (override !== undefined) return resolve(override);
  const { installations, refused } = await findInstallations(surroundings);
  const [first] = installations;
  if (first !== undefined) return join(first.directory, 'renderfarm.conf');
  const why = refused.length > 0 ? ` (no access to ${refused.join(', ')})` : '';
  throw failure(
    `there is no GBrowse.conf in ${(surroundings.places ?? USUAL_PLACES).join(', ')}${why}, so it is not known where ` +
      'renderfarm.conf belongs; set [MASTER] renderfarm_conf to its path',
  );
}
