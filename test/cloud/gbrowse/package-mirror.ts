import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { surveyMaster } from '../../../src/image/plan/plan.ts';

const run = promisify(execFile);
const SHELF_LIFE = 24 * 3_600_000;

/** A package archive of what this machine's slaves need, and of what that needs. */
export const MIRROR = path.resolve(import.meta.dirname, '../../../dist/roots/mirror');
const PORT = 8000;

/**
 * Downloads the packages, while there is a network, with the apt of a plain system; kept in `dist/roots`.
 *
 * @param root a system that has none of them
 */
export async function makeMirror(root: string): Promise<void> {
  const made = await stat(MIRROR).catch(() => undefined);
  if (made !== undefined && Date.now() - made.mtimeMs < SHELF_LIFE) return;
  const { packages } = await surveyMaster(new AbortController().signal);
  const unfinished = `${MIRROR}.${process.pid}`;
  await mkdir(path.join(unfinished, 'partial'), { recursive: true });
  const apt = ['-q', '-y', '-o', `Dir=${root}`, '-o', `Dir::State::status=${root}/var/lib/dpkg/status`];
  const place = ['-o', `Dir::Cache::archives=${unfinished}`, '--download-only', '--no-install-recommends'];
  const sandbox = ['-o', 'APT::Sandbox::User=root'];
  try {
    await run('apt-get', [...apt, ...sandbox, 'update']);
    await run('apt-get', [...apt, ...sandbox, ...place, 'install', 'rsync', ...packages], {
      maxBuffer: 2 ** 26,
    });
    const index = await run('dpkg-scanpackages', ['--multiversion', '.'], {
      cwd: unfinished,
      maxBuffer: 2 ** 26,
    });
    await writeFile(path.join(unfinished, 'Packages'), index.stdout);
    await rm(MIRROR, { recursive: true, force: true });
    await rename(unfinished, MIRROR);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What `describe(…, { skip })` takes: why there can be no mirror here, or false. */
export function mirrorMissing(): string | false {
  return existsSync(path.join(MIRROR, 'Packages'))
    ? false
    : 'the packages of a slave could not be downloaded';
}

/**
 * Serves it over HTTP.
 *
 * @param address of this machine
 * @returns the line for apt's sources, and what ends it
 */
export async function serveMirror(
  address: string,
): Promise<{ readonly source: string; readonly close: () => void }> {
  const names = new Set(await readdir(MIRROR));
  const server = createServer((request, response) => {
    const name = decodeURIComponent(path.basename(request.url ?? ''));
    if (!names.has(name)) return void response.writeHead(404).end();
    createReadStream(path.join(MIRROR, name)).pipe(response);
  });
  await new Promise<void>(resolve => server.listen(PORT, address, resolve));
  return {
    source: `deb [trusted=yes] http://${address}:${PORT}/ ./`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
