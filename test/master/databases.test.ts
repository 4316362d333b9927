import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { findDatabases } from '../../src/master/databases.ts';

it('the databases directory is the first of its places that is a directory', async t => {
  const root = mkdtempSync(path.join(tmpdir(), 'databases-'));
  t.after(() => rmSync(root, { recursive: true }));
  const places = ['one', 'two', 'three'].map(name => path.join(root, name));
  assert.equal(await findDatabases(places, async () => undefined), undefined);
  mkdirSync(path.join(root, 'three'));
  writeFileSync(path.join(root, 'one'), 'a file');
  assert.equal(await findDatabases(places, async () => undefined), path.join(root, 'three'));
  mkdirSync(path.join(root, 'two'));
  assert.equal(await findDatabases(places, async () => undefined), path.join(root, 'two'));
});

it("GBrowse's own db_base comes before the usual places, where it is a directory", async t => {
  const root = mkdtempSync(path.join(tmpdir(), 'databases-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const name of ['own', 'usual']) mkdirSync(path.join(root, name));
  const places = [path.join(root, 'usual')];
  assert.equal(await findDatabases(places, async () => path.join(root, 'own')), path.join(root, 'own'));
  assert.equal(await findDatabases(places, async () => path.join(root, 'none')), path.join(root, 'usual'));
});
