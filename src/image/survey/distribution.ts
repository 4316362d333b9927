import { readFile } from 'node:fs/promises';
import { failure } from '../../errors.ts';

/** A release of a distribution whose official images `image` knows. */
export type Distribution = {
  readonly id: 'debian' | 'ubuntu';
  /** `12`, `24.04`. */
  readonly version: string;
};

/**
 * The distribution that an os-release(5) file describes.
 *
 * @returns undefined for one without official images that are known here
 */
export function distributionOf(text: string): Distribution | undefined {
  const value = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1];
  const [id, version] = [value('ID'), value('VERSION_ID')];
  if ((id !== 'debian' && id !== 'ubuntu') || version === undefined || version === '') return undefined;
  return { id, version };
}

/**
 * The distribution of this machine.
 *
 * @throws {UserError} when it is another one
 */
export async function findDistribution(): Promise<Distribution> {
  const found = distributionOf(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  if (found !== undefined) return found;
  throw failure(
    'image installs packages of Debian or Ubuntu, and /etc/os-release does not name a release of these; make an AMI from a slave by hand, and set its id in [SLAVE] image_id',
  );
}
