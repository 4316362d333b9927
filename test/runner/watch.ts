/**
 * Runs tests again with every change of what they are made of.
 *     npm run test:watch -- [GROUP|FILE …]     by default the fast ones
 */
import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '../..');
/** Not the whole project: Node follows the links of the Debian systems in dist out of it. */
const WATCHED = ['src', 'test', 'build', 'packaging'];
/** An editor or git changes several files at once, ms. */
const SETTLING = 200;

const words = process.argv.slice(2);
let changed = Promise.withResolvers<string>();
for (const directory of WATCHED)
  watch(path.join(root, directory), { recursive: true }, (_, file) =>
    changed.resolve(path.join(directory, file ?? '')),
  );
for (;;) {
  changed = Promise.withResolvers();
  const runner = path.join(import.meta.dirname, 'main.ts');
  spawnSync(process.execPath, [runner, ...(words.length > 0 ? words : ['fast'])], {
    cwd: root,
    stdio: 'inherit',
  });
  process.stdout.write('\n=== waiting for a change\n');
  const file = await changed.promise;
  await sleep(SETTLING);
  process.stdout.write(`\n=== ${file} has changed\n`);
}
