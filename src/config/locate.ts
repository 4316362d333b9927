import { stat } from 'node:fs/promises';
import { systemCode, usageError } from '../errors.ts';

/** The usual places of the file, without `--conf`: upstream's place, Debian's, the GBrowse cloud machine's. */
export const CONFIG_FILES: readonly string[] = [
  '/etc/gbrowse2/aws_balancer.conf',
  '/etc/gbrowse/aws_balancer.conf',
  '/opt/gbrowse/etc/aws_balancer.conf',
];

/**
 * The first of these places that has a configuration file.
 *
 * @throws {UserError} naming them all, when none has
 */
export async function findConfigFile(places: readonly string[] = CONFIG_FILES): Promise<string> {
  for (const place of places) {
    if (await isThere(place)) return place;
  }
  throw usageError(`no configuration file: there is none of ${places.join(', ')}; name one with --conf FILE`);
}

/** A file that cannot be examined counts as present, so that no other file silently takes its place. */
async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const code = systemCode(error);
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}
