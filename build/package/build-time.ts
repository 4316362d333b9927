import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * The time of all that is in a package, in seconds since 1970: what `SOURCE_DATE_EPOCH` says
 * (https://reproducible-builds.org), else when the commit was made; in a source archive the day of the version in the
 * changelog, and where it has none yet, the time of the changelog in the archive.
 *
 * @throws {Error} when `SOURCE_DATE_EPOCH` is no number of seconds
 */
export async function buildTime(root: string, changelog: string, version: string): Promise<number> {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (/^\d+$/.test(given)) return Number(given);
    throw new Error(`SOURCE_DATE_EPOCH is ${JSON.stringify(given)}: expected seconds since 1970`);
  }
  return commitTime(root) ?? releaseTime(changelog, version) ?? (await changelogTime(root));
}

function commitTime(root: string): number | undefined {
  // An archive that was unpacked inside of some other checkout has nothing to do with that one.
  if (!existsSync(path.join(root, '.git'))) return undefined;
  try {
    return Number(
      execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }),
    );
  } catch {
    return undefined;
  }
}

function releaseTime(changelog: string, version: string): number | undefined {
  const heading = changelog.split('\n').find(line => line.startsWith(`## ${version} `));
  const [day] = /\d{4}-\d\d-\d\d/.exec(heading ?? '') ?? [];
  return day === undefined ? undefined : Date.parse(`${day}T00:00:00Z`) / 1000;
}

async function changelogTime(root: string): Promise<number> {
  return Math.floor((await stat(path.join(root, 'CHANGELOG.md'))).mtimeMs / 1000);
}
