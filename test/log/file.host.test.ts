import assert from 'node:assert/strict';
import {
  chmodSync,
  lchownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLogFile } from '../../src/log/file.ts';

const NOBODY = 65_534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };

/** A directory such as /tmp. */
function sticky(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'gbrowse-log-'));
  chmodSync(made, 0o1777);
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('root’s log goes through no link that another user has planted, there or not yet', asRoot, t => {
  const here = sticky(t);
  const [precious, missing, log] = ['precious', 'missing', 'log'].map(it => path.join(here, it));
  assert.ok(precious !== undefined && missing !== undefined && log !== undefined);
  writeFileSync(precious, 'precious');
  for (const target of [precious, missing]) {
    symlinkSync(target, log);
    lchownSync(log, NOBODY, NOBODY);
    assert.throws(
      () => openLogFile(log, () => ''),
      /cannot write the log file .*: (it is a symbolic link .* that another user made|permission denied)/,
    );
    rmSync(log);
  }
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  // Planted while it is open: the log goes on where it is.
  const file = openLogFile(log, () => '');
  rmSync(log);
  symlinkSync(precious, log);
  lchownSync(log, NOBODY, NOBODY);
  assert.throws(() => file.reopen(), /cannot write the log file/);
  file.write('text');
  file.close();
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
});

test('root’s log goes through root’s own link', asRoot, t => {
  const here = sticky(t);
  symlinkSync(path.join(here, 'elsewhere'), path.join(here, 'log'));
  const file = openLogFile(path.join(here, 'log'), () => '');
  file.write('text');
  file.close();
  assert.equal(readFileSync(path.join(here, 'elsewhere'), 'utf8'), 'text');
});
