import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { failure, systemCode } from '../errors.ts';
import { masterOfApache, type Named, namedByApache } from './apache.ts';

/** Where GBrowse keeps its configuration: upstream's place, Debian's, the cloud image's. */
export const USUAL_PLACES = ['/etc/gbrowse2', '/etc/gbrowse', '/opt/gbrowse/etc'] as const;

/** A GBrowse of this machine. */
export type Installation = {
  /** The directory of its configuration. */
  readonly directory: string;
  /** Its main file there: GBrowse.conf, or what GBROWSE_MASTER names. */
  readonly file: string;
  /** What names it: `GBROWSE_CONF in FILE:LINE`; undefined for a usual place. */
  readonly namedBy?: string;
};

/** Where to look; what is left out is as on a real machine. */
export type Surroundings = {
  readonly env?: NodeJS.ProcessEnv;
  readonly places?: readonly string[];
  readonly apache?: () => Promise<readonly Named[]>;
  /** What Apache's configuration sets GBROWSE_MASTER to. */
  readonly apacheMaster?: () => Promise<string | undefined>;
};

/**
 * The GBrowses of this machine, the one that visitors see first: GBROWSE_CONF of the environment, then of Apache's
 * configuration; only where neither names one, those in the usual places. Their main file is GBROWSE_MASTER of the same.
 *
 * @returns also the places that could not be looked into, as `PLACE: CODE`
 * @throws {UserError} when GBROWSE_CONF of the environment names a directory without that file
 */
export async function findInstallations({
  env = process.env,
  places = USUAL_PLACES,
  apache = namedByApache,
  apacheMaster = masterOfApache,
}: Surroundings = {}): Promise<{
  readonly installations: readonly Installation[];
  readonly refused: readonly string[];
}> {
  const refused: string[] = [];
  const installations: Installation[] = [];
  const known = new Set<string>();

  const masterFile = env.GBROWSE_MASTER || (await apacheMaster()) || 'GBrowse.conf';

  async function add(directory: string, namedBy?: string): Promise<boolean> {
    const file = path.join(directory, masterFile);
    try {
      await stat(file);
      const real = await realpath(directory);
      if (!known.has(real))
        installations.push({ directory, file, ...(namedBy !== undefined && { namedBy }) });
      known.add(real);
      return true;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (!['ENOENT', 'ENOTDIR'].includes(code)) refused.push(`${directory}: ${code}`);
      return false;
    }
  }

  const own = env.GBROWSE_CONF;
  if (own !== undefined && own !== '') {
    const directory = path.resolve(own);
    if (!(await add(directory, 'GBROWSE_CONF of the environment'))) {
      throw failure(
        `GBROWSE_CONF of the environment is ${own}, and there is no readable ${masterFile}. ` +
          "Set it to the directory of GBrowse's configuration, or do not set it",
      );
    }
  }
  for (const { directory, file, number } of await apache()) {
    await add(path.resolve(directory), `GBROWSE_CONF in ${file}:${number}`);
  }
  if (installations.length === 0) for (const place of places) await add(place);
  return { installations, refused };
}
