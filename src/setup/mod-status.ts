import { lstat, unlink } from 'node:fs/promises';
import { failure, isUserError } from '../errors.ts';
import { findApaches, restartGracefully } from '../farm/apache.ts';
import { readStatus } from '../load/fetch.ts';
import { modStatusBlock } from '../load/mod-status.ts';
import { findProgram } from '../os/command.ts';
import { replaceFile } from '../os/replace-file.ts';
import { run } from '../os/run.ts';

/** ms */
const TIME_LIMIT = 10_000;
const MODULE = '/etc/apache2/mods-enabled/status.load';
const BLOCK = 'gbrowse-aws-balancer-status';
/** The block of our own. */
export const STATUS_BLOCK_FILE = `/etc/apache2/conf-available/${BLOCK}.conf`;

/** Why mod_status does not give the load. */
type StatusTrouble = {
  readonly message: string;
  /** Whether a web server answered, so that its configuration is the reason. */
  readonly isAnswer: boolean;
};

/** Undefined when mod_status gives the load. */
export async function statusTrouble(url: string): Promise<StatusTrouble | undefined> {
  try {
    await readStatus(url, { timeLimit: TIME_LIMIT })();
    return undefined;
  } catch (error) {
    if (!isUserError(error)) throw error;
    return { message: error.message, isAnswer: error.cause === undefined || isUserError(error.cause) };
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
 * @throws {UserError} when it cannot be done, or does not help; then what was changed is undone
 */
export async function switchOn(url: string): Promise<readonly string[]> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    if (!(await exists(MODULE))) undo.unshift(() => a2('a2dismod', 'status'));
    await a2('a2enmod', 'status');
    await reload();
    const done = ['The module status of Apache is switched on (a2enmod status).'];
    if ((await settled(url)) === undefined) return done;
    if (!(await exists(STATUS_BLOCK_FILE))) {
      undo.unshift(() => unlink(STATUS_BLOCK_FILE));
      undo.unshift(() => a2('a2disconf', BLOCK));
    }
    const lines = modStatusBlock(new URL(url).pathname).replaceAll(/^ {4}/gm, '');
    await replaceFile(
      STATUS_BLOCK_FILE,
      `# Lets gbrowse-aws-balancer read the load; written by its setup.\n${lines}\n`,
    );
    await a2('a2enconf', BLOCK);
    await reload();
    const trouble = await settled(url);
    if (trouble !== undefined) throw failure(`it does not help; everything is as it was. ${trouble.message}`);
    return [...done, `${STATUS_BLOCK_FILE} lets this machine read it.`];
  } catch (error) {
    for (const step of undo) await step().catch(() => {});
    // A mistake in the configuration that was there before keeps Apache from being told.
    if (undo.length > 0) await reload().catch(() => {});
    throw error;
  }
}

function a2(program: string, name: string): Promise<string> {
  return run([program, '--quiet', name], { timeLimit: TIME_LIMIT, what: program });
}

async function exists(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined)) !== undefined;
}

async function reload(): Promise<void> {
  for (const apache of findApaches()) await restartGracefully(apache);
}

/** Apache takes a moment to restart. */
async function settled(url: string): Promise<StatusTrouble | undefined> {
  for (let attempt = 0; ; attempt++) {
    const trouble = await statusTrouble(url);
    if (trouble === undefined || attempt === 5) return trouble;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}
