import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

type LockFile = {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
};

/**
 * The directory of the npm package with Node's executable for an architecture, as the lock file pins it. npm installs
 * the host's alone; another one is fetched into `dist` and must have the checksum that the lock file says.
 *
 * @param arch `x64` or `arm64`
 * @throws {Error} when it is not the one of the lock file
 */
export async function nodePackage(arch: string): Promise<string> {
  const name = `node-linux-${arch}`;
  const installed = path.join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;

  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as LockFile;
  const pinned = lock.packages[`node_modules/${name}`];
  if (pinned === undefined) throw new Error(`package-lock.json has no ${name}: there is no Node for ${arch}`);
  const directory = path.join(root, 'dist', `${name}-${pinned.version}`);
  const unpacked = path.join(directory, 'package');
  if (existsSync(path.join(unpacked, 'bin/node'))) return unpacked;

  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--pack-destination', directory, `${name}@${pinned.version}`], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = path.join(directory, `${name}-${pinned.version}.tgz`);
  const checksum = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (checksum !== pinned.integrity) {
    await rm(directory, { recursive: true, force: true });
    throw new Error(
      `${name}@${pinned.version} is not the one of package-lock.json: its checksum is ${checksum}`,
    );
  }
  execFileSync('tar', ['-xzf', archive, '-C', directory]);
  await rm(archive);
  return unpacked;
}
