import { chmod } from 'node:fs/promises';
import { failure } from '../errors.ts';
import { type Change, diffLines } from './changes.ts';
import type { Files } from './look.ts';
import type { SetupTools } from './tools.ts';
import { assertWritable, writeChange } from './write.ts';

/**
 * Shows the changes, asks, and writes them.
 *
 * @returns whether everything is as it should be: written, or there was nothing to write
 * @throws {UserError} when the answer is no, or a file cannot be written
 */
export async function askAndWrite(
  changes: readonly Change[],
  { oldSettings }: Files,
  dryRun: boolean,
  { ask, say }: SetupTools,
): Promise<boolean> {
  const open = oldSettings.filter(it => it.isOpen).map(it => it.file);
  for (const change of changes) for (const line of diffLines(change)) say(line);
  for (const file of open) say(`${file} holds keys and can be read by others: its permissions become 0600.`);
  if (changes.length === 0 && open.length === 0) {
    say('Nothing has to be changed.');
    return true;
  }
  if (dryRun) {
    say('Nothing was written (--dry-run).');
    return false;
  }
  if (!(await ask.confirm('Write this?', true))) throw failure('nothing was written');
  await assertWritable(changes, open);
  for (const change of changes) await writeChange(change);
  for (const file of open) await chmod(file, 0o600);
  for (const { file } of changes) say(`${file} is written.`);
  return true;
}
