import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { directory } from './fixtures/run.ts';

const SCRIPT = path.join(import.meta.dirname, 'fixtures/close-inherited.ts');

test('files and pipes that a shell had open are closed, those without a gap before them too', t => {
  const here = directory(t);
  const secret = path.join(here, 'secret');
  writeFileSync(secret, 'secret');
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const line = 'exec 3<"$1" 4>>"$1" 9<"$1"; sleep 0 | "$2" "$3" 5<&0 5<&0';
  const { stdout, stderr } = spawnSync('sh', ['-c', line, 'sh', secret, process.execPath, SCRIPT], {
    encoding: 'utf8',
    env,
  });
  assert.ok(stdout.startsWith('['), stderr);
  const open: [number, string][] = JSON.parse(stdout);
  const targets = open.map(([, target]) => target);
  assert.ok(!targets.includes(secret), stdout);
  const pipes = targets.filter(it => it.startsWith('pipe:'));
  for (const pipe of pipes) assert.equal(pipes.filter(it => it === pipe).length, 2, stdout);
});
