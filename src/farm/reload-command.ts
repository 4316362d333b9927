import { stat } from 'node:fs/promises';
import path from 'node:path';
import { SECOND } from '../clock.ts';
import { failure } from '../errors.ts';
import { foreignPartOf } from '../os/root-path.ts';
import { PLAIN_ENVIRONMENT, run } from '../os/run.ts';

const TIME_LIMIT = 60 * SECOND;

/**
 * Runs `[MASTER] reload_command`; as root only if nobody but root can change what it runs.
 *
 * @throws {UserError} when it fails, takes too long, or others can change it
 */
export async function runReloadCommand(command: string): Promise<void> {
  const what = '[MASTER] reload_command';
  if (process.getuid?.() !== 0) {
    await run(['/bin/sh', '-c', command], { timeLimit: TIME_LIMIT, what });
    return;
  }
  const directories = await rootsDirectories(PLAIN_ENVIRONMENT.PATH ?? '');
  for (const file of await filesIn(command, directories)) {
    const foreign = await foreignPartOf(file, 'content');
    if (foreign === undefined) continue;
    throw failure(
      `${what} was not run as root, because users other than root can change ${foreign.path}; give it to root ` +
        `(chown root, chmod go-w, and no access control list that lets others write)`,
    );
  }
  const env = { ...PLAIN_ENVIRONMENT, PATH: directories.join(':') };
  await run(['/bin/sh', '-c', command], { timeLimit: TIME_LIMIT, what, env });
}

/** The directories of a PATH in which only root can place programs. */
async function rootsDirectories(searchPath: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of searchPath.split(':')) {
    if ((await foreignPartOf(directory, 'content')) === undefined) found.push(directory);
  }
  return found;
}

/** The files that a command names: including programs without a path, but not the targets of redirected output. */
async function filesIn(command: string, directories: readonly string[]): Promise<readonly string[]> {
  const words = command.replace(/>&?[ \t]*[^ \t\n;|&<>()]+/g, ' ').split(/[\s;|&<>()"'`=]+/);
  const files: string[] = [];
  for (const word of new Set(words)) {
    if (word === '') continue;
    const places = word.includes('/') ? [''] : directories;
    for (const place of places) {
      const file = path.resolve('/', place, word);
      if ((await stat(file).catch(() => undefined))?.isFile()) files.push(file);
    }
  }
  return files;
}
