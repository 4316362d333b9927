import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { measure } from '../../../src/sync/plan/measure.ts';
import { findTrees } from '../../../src/sync/plan/trees.ts';

let directory: string;
let databases: string;
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'measure-'));
  databases = path.join(directory, 'databases');
  mkdirSync(path.join(databases, 'one\nodd name'), { recursive: true });
  mkdirSync(path.join(directory, 'mysql'));
  writeFileSync(path.join(databases, 'one\nodd name', 'file'), 'x'.repeat(5000));
  linkSync(path.join(databases, 'one\nodd name', 'file'), path.join(databases, 'again'));
  const sparse = openSync(path.join(databases, 'sparse'), 'w');
  ftruncateSync(sparse, 10_000_000);
  closeSync(sparse);
  symlinkSync('one\nodd name/file', path.join(databases, 'inside'));
  symlinkSync('/somewhere/else', path.join(databases, 'out'));
  symlinkSync('../mysql/table', path.join(databases, 'other tree'));
  symlinkSync(databases, path.join(directory, 'link'));
});
after(() => rmSync(directory, { recursive: true }));

const wanted = (name: string, kind: 'databases' | 'mysql' = 'databases') => ({
  kind,
  directory: path.join(directory, name),
  from: '--test',
});

describe('measuring a tree', () => {
  test('one file has many names, a hole takes nothing', async () => {
    const trees = await findTrees([wanted('databases')]);
    const size = await measure(trees[0] ?? assert.fail(), trees);
    // Two directories, two files, three links.
    assert.equal(size.inodes, 7);
    assert.equal(size.bytes, 10_005_000);
    assert.ok(size.allocated < 1_000_000, `${size.allocated}`);
    assert.deepEqual([size.hardLinks, size.holes], [true, true]);
    assert.deepEqual(size.unreadable, []);
  });

  test('links that lead to where nothing is copied are named', async () => {
    const [databasesTree = assert.fail(), ...others] = await findTrees([
      wanted('databases'),
      wanted('mysql', 'mysql'),
    ]);
    const alone = await measure(databasesTree, [databasesTree]);
    assert.equal(alone.leadingOutCount, 2);
    const size = await measure(databasesTree, [databasesTree, ...others]);
    assert.deepEqual(size.leadingOut, [`${databases}/out -> /somewhere/else`]);
  });
});

describe('the trees', () => {
  test('a directory that is a link is found at both of its paths', async () => {
    assert.deepEqual(await findTrees([wanted('link')]), [
      { kind: 'databases', source: databases, paths: [path.join(directory, 'link'), databases] },
    ]);
  });

  for (const [what, list, message] of [
    ['one that is not there', ['nothing'], /--test: there is no directory .*nothing/],
    ['a file', ['databases/again'], /is not a directory/],
    ['the same one twice', ['databases', 'link'], /lies inside/],
    ['a path that the manifest could not hold', ['databases/one\nodd name'], /newline/],
  ] as const) {
    test(`refused: ${what}`, async () => {
      await assert.rejects(findTrees(list.map(name => wanted(name))), message);
    });
  }
});
