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
import { test } from 'node:test';
import { writePage } from '../../src/simulate/command.ts';

const NOBODY = 65_534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };

test('root’s page replaces a link that another user has planted, and follows root’s own', asRoot, async t => {
  const here = mkdtempSync(path.join(tmpdir(), 'gbrowse-page-'));
  t.after(() => rmSync(here, { recursive: true }));
  const [precious, page] = [path.join(here, 'precious'), path.join(here, 'page')];
  writeFileSync(precious, 'precious');
  symlinkSync(precious, page);
  lchownSync(page, NOBODY, NOBODY);
  chmodSync(here, 0o1777);
  await writePage(page, 'page');
  assert.deepEqual([readFileSync(precious, 'utf8'), readFileSync(page, 'utf8')], ['precious', 'page']);
  await writePage(page, 'again');
  assert.equal(readFileSync(page, 'utf8'), 'again');

  chmodSync(here, 0o755);
  rmSync(page);
  symlinkSync(precious, page);
  await writePage(page, 'mine');
  assert.equal(readFileSync(precious, 'utf8'), 'mine');
});
