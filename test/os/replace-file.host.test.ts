import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../src/os/replace-file.ts';
import { asRoot, directory } from '../daemon/fixtures/run.ts';

const modeOf = (file: string) => (statSync(file).mode & 0o7777).toString(8);

test('a new file gets the attributes that were asked for, whatever the umask is; without any, 0644', async t => {
  const here = directory(t);
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  await replaceFile(path.join(here, 'plain'), 'text');
  await replaceFile(path.join(here, 'secret'), 'text', { attributes: { mode: 0o600 } });
  assert.equal(modeOf(path.join(here, 'plain')), '644');
  assert.equal(modeOf(path.join(here, 'secret')), '600');
  assert.deepEqual(readdirSync(here).toSorted(), ['plain', 'secret']);
});

test('an old file keeps owner, group and mode, unless others are forced on it', asRoot, async t => {
  const file = path.join(directory(t), 'file');
  writeFileSync(file, 'old');
  chownSync(file, 33, 34);
  chmodSync(file, 0o640);
  await replaceFile(file, 'new', { attributes: { uid: 0, gid: 0, mode: 0o644 } });
  const { uid, gid } = statSync(file);
  assert.deepEqual([uid, gid, modeOf(file)], [33, 34, '640']);
  await replaceFile(file, 'new', { attributes: { uid: 0, gid: 0, mode: 0o644 }, force: true });
  assert.deepEqual([statSync(file).uid, modeOf(file)], [0, '644']);
});

test('a link is followed, or replaced where that is asked for', async t => {
  const here = directory(t);
  const at = (name: string) => path.join(here, name);
  mkdirSync(at('real'));
  writeFileSync(at('real/file'), 'old');
  symlinkSync('real/file', at('link'));
  symlinkSync('real/none', at('dangling'));
  await replaceFile(at('link'), 'new');
  await replaceFile(at('dangling'), 'new');
  assert.equal(readFileSync(at('real/file'), 'utf8'), 'new');
  assert.equal(readFileSync(at('real/none'), 'utf8'), 'new');
  await replaceFile(at('link'), 'own', { replaceLink: true });
  assert.equal(readFileSync(at('real/file'), 'utf8'), 'new');
  assert.ok(lstatSync(at('link')).isFile());
});

test('where it cannot be, the old file is as it was and nothing is beside it', async t => {
  const here = directory(t);
  mkdirSync(path.join(here, 'file'));
  await assert.rejects(replaceFile(path.join(here, 'file'), 'new'));
  await assert.rejects(replaceFile(path.join(here, 'none', 'file'), 'new'), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(here), ['file']);
});

test('a link in the place of the temporary file is not written through', async t => {
  const here = directory(t);
  const at = (name: string) => path.join(here, name);
  writeFileSync(at('precious'), 'precious');
  symlinkSync('precious', at(`.file.balancer-${process.pid}`));
  await replaceFile(at('file'), 'new');
  assert.equal(readFileSync(at('precious'), 'utf8'), 'precious');
  assert.deepEqual(readdirSync(here).toSorted(), ['file', 'precious']);
});
