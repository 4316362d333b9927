/**
 * Runs the tests on the cloud in a box, one file after another (each of them can keep two cores busy), and prints the
 * table of the tracks that visitors got, as it stands in the README.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { RESULT } from './gbrowse/tally.ts';

const root = path.resolve(import.meta.dirname, '../..');
rmSync(RESULT, { force: true });
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', path.join(root, 'test/cloud/**/*.test.ts')],
  { stdio: 'inherit', cwd: root },
);
if (existsSync(RESULT)) process.stdout.write(`\n${readFileSync(RESULT, 'utf8')}`);
process.exit(status ?? 1);
