import { type FileHandle, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { findOption, formatDocument, parseDocument, setOption } from '../config/document.ts';
import { failure, isUserError, messageOf } from '../errors.ts';

/** What sync writes into the configuration file: the values of these options of `[SLAVE]`. */
export type Outcome = { readonly dataSnapshots: readonly string[]; readonly imageId?: string };

/** The two options as they stand in a file; a blank one is unset. */
export type Present = { readonly data_snapshots: string; readonly image_id: string };

const SECTION = 'SLAVE';

/** The options that sync writes, as a configuration file's text has them. */
export function presentIn(text: string): Present {
  const document = parseDocument(text);
  const value = (name: string) => findOption(document, SECTION, name)?.value ?? '';
  return { data_snapshots: value('data_snapshots'), image_id: value('image_id') };
}

/** A configuration file's text with the outcome of a sync; every other byte is as it was. */
export function withOutcome(text: string, { dataSnapshots, imageId }: Outcome): string {
  const document = setOption(parseDocument(text), SECTION, 'data_snapshots', dataSnapshots.join(' '));
  return formatDocument(imageId === undefined ? document : setOption(document, SECTION, 'image_id', imageId));
}

/**
 * Writes the outcome of a sync into the configuration file, at one stroke; owner and mode stay, and the version before is
 * beside it as `FILE.bak`. What else has changed in the file since the sync began stays changed.
 *
 * @param before the options as they were when the sync began
 * @returns the place of the version before
 * @throws {UserError} when somebody else has changed the options meanwhile, or it cannot be written; nothing is changed then
 */
export async function updateConfigFile(file: string, before: Present, outcome: Outcome): Promise<string> {
  const made = `data_snapshots = ${outcome.dataSnapshots.join(' ')}`;
  try {
    const target = await realpath(file);
    // One character a byte: whatever the encoding is, it is kept.
    const text = await readFile(target, 'latin1');
    const now = presentIn(text);
    if (now.data_snapshots !== before.data_snapshots || now.image_id !== before.image_id) {
      throw failure(
        `${file}: data_snapshots or image_id were changed while sync worked, so they are left as they are; the new data are: ${made}`,
      );
    }
    const backup = `${target}.bak`;
    const attributes = await stat(target);
    await replace(backup, text, attributes);
    await replace(target, withOutcome(text, outcome), attributes);
    return backup;
  } catch (error) {
    if (isUserError(error)) throw error;
    throw failure(`${file} cannot be updated: ${messageOf(error)}; put this into [SLAVE] yourself: ${made}`, {
      cause: error,
    });
  }
}

/** Puts a file in place whole, with these attributes. */
async function replace(
  target: string,
  text: string,
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.sync-${process.pid}`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text, 'latin1');
    const made = await file.stat();
    if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
    await file.chmod(mode & 0o7777);
    await file.sync();
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file?.close();
  }
  const directory = await open(path.dirname(target), 'r').catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}
