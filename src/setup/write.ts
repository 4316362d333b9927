import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { failure, messageOf, systemCode } from '../errors.ts';
import { replaceFile } from '../os/replace-file.ts';
import { foreignPartOf } from '../os/root-path.ts';
import type { Change } from './changes.ts';

/**
 * Makes sure that all changes can be written: only root controls the paths, and nobody has changed the files since they
 * were read.
 *
 * @param others files that only get other permissions
 * @throws {UserError}
 */
export async function assertWritable(
  changes: readonly Change[],
  others: readonly string[] = [],
): Promise<void> {
  for (const file of [...changes.map(it => it.file), ...others]) {
    const foreign = await foreignPartOf(file, 'place');
    if (foreign !== undefined)
      throw failure(
        `users other than root can change ${foreign.path}, so root does not write ${file}, and nothing was written; make it root's alone (chown root: ${foreign.path}; chmod go-w ${foreign.path}) and run setup again`,
      );
  }
  for (const { file, before, encoding = 'utf8' } of changes) {
    const now = await readFile(file, encoding).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw failure(`${file} cannot be read: ${messageOf(error)}; nothing was written`, { cause: error });
    });
    if (now !== before)
      throw failure(`${file} was changed while setup was asking, so nothing was written; run setup again`);
  }
}

/**
 * Writes a file atomically; the previous version is kept as `FILE.bak`, except for a file with secrets.
 *
 * @throws {UserError} when that cannot be; the file is as it was
 */
export async function writeChange({ file, before, after, mode, encoding = 'utf8' }: Change): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const bytes = (text: string) => Buffer.from(text, encoding);
    if (mode !== undefined) {
      await replaceFile(file, bytes(after), { attributes: { mode }, force: true });
      return;
    }
    if (before !== undefined) await replaceFile(`${file}.bak`, bytes(before));
    await replaceFile(file, bytes(after));
  } catch (error) {
    throw failure(`${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
