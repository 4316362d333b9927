import { readFile, unlink } from 'node:fs/promises';
import { isUserError, messageOf } from '../errors.ts';
import { findApaches, restartGracefully } from '../farm/apache.ts';
import { readStatus } from '../load/fetch.ts';
import { modStatusBlock } from '../load/mod-status.ts';
import { findProgram } from '../os/command.ts';
import { replaceFile } from '../os/replace-file.ts';
import { run } from '../os/run.ts';

/** ms */
const TIME_LIMIT = 10_000;
const BLOCK = '/etc/apache2/conf-available/gbrowse-aws-balancer-status.conf';

/** Why mod_status does not give the load; undefined when it does. */
export async function statusTrouble(url: string): Promise<string | undefined> {
  try {
    await readStatus(url, { timeLimit: TIME_LIMIT })();
    return undefined;
  } catch (error) {
    if (!isUserError(error)) throw error;
    return error.message;
  }
}

/** Whether this program can switch mod_status on: only in Debian's Apache, while it runs. */
export function canSwitchOn(): boolean {
  return (
    findProgram('a2enmod') !== undefined && findProgram('a2enconf') !== undefined && findApaches().length > 0
  );
}

/**
 * Switches mod_status on in Debian's Apache: first the module, with the block that it brings, and if that does not
 * answer, a block of our own. Apache is restarted gracefully; one with a mistake in its configuration is left as it is.
 *
 * @returns what was done, in sentences
 * @throws {UserError} when it cannot be done, or does not help; then our own block is removed again
 */
export async function switchOn(url: string): Promise<readonly string[]> {
  const a2 = (program: string, name: string) =>
    run([program, '--quiet', name], { timeLimit: TIME_LIMIT, what: program });
  await a2('a2enmod', 'status');
  await reload();
  const done = ['The module status of Apache is switched on (a2enmod status).'];
  if ((await settled(url)) === undefined) return done;
  const had = await readFile(BLOCK, 'utf8').catch(() => undefined);
  const block = modStatusBlock(new URL(url).pathname).replaceAll(/^ {4}/gm, '');
  try {
    await replaceFile(BLOCK, `# Lets gbrowse-aws-balancer read the load; written by its setup.\n${block}\n`);
    await a2('a2enconf', 'gbrowse-aws-balancer-status');
    await reload();
    const trouble = await settled(url);
    if (trouble !== undefined) throw new Error(trouble);
  } catch (error) {
    if (had === undefined) {
      await a2('a2disconf', 'gbrowse-aws-balancer-status').catch(() => '');
      await unlink(BLOCK).catch(() => {});
      await reload().catch(() => {});
    }
    throw isUserError(error) ? error : Object.assign(new Error(messageOf(error)), { cause: error });
  }
  return [...done, `${BLOCK} lets this machine read it.`];
}

async function reload(): Promise<void> {
  for (const apache of findApaches()) await restartGracefully(apache);
}

/** Apache takes a moment to restart. */
async function settled(url: string): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    const trouble = await statusTrouble(url);
    if (trouble === undefined || attempt === 5) return trouble;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}
