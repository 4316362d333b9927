import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { assertDataDirectory } from '../../../src/sync/plan/data-directories.ts';
import { measure } from '../../../src/sync/plan/measure.ts';
import { problemsOf } from '../../../src/sync/plan/problems.ts';
import { findTrees } from '../../../src/sync/plan/trees.ts';
import { notAlone } from '../../peers/own-namespaces.ts';

const OWNER = 4001;

describe('a data directory of a server', { skip: notAlone }, () => {
  let directory: string;
  before(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/srv']);
  });
  after(() => {
    execFileSync('umount', ['--lazy', '/srv']);
  });
  beforeEach(() => {
    directory = mkdtempSync('/srv/data-');
    chmodSync(directory, 0o755);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function make(name: string, files: readonly string[]): string {
    const made = path.join(directory, name);
    mkdirSync(made, { recursive: true });
    for (const file of files) {
      if (file.endsWith('/')) mkdirSync(path.join(made, file));
      else writeFileSync(path.join(made, file), '');
    }
    chownSync(made, OWNER, OWNER);
    return made;
  }
  const mysql = (place: string) => assertDataDirectory({ kind: 'mysql', directory: place, from: '--mysql' });
  const postgres = (place: string) =>
    assertDataDirectory({ kind: 'postgresql', directory: place, from: '--postgres' });

  test('is one that has its files', async () => {
    await mysql(make('mariadb', ['mysql/', 'ibdata1', 'aria_log_control']));
    await mysql(make('mysql8', ['mysql/', 'mysql.ibd']));
    make('pg/15/main', ['PG_VERSION', 'global/']);
    await postgres(path.join(directory, 'pg'));
  });

  test('is not any directory: /etc is refused, and what is named is said', async () => {
    await assert.rejects(mysql('/etc'), /--mysql: \/etc is not a data directory of MySQL/);
    await assert.rejects(postgres('/etc'), /--postgres: \/etc is not a data directory of PostgreSQL/);
    await assert.rejects(mysql(make('like-etc', ['mysql/', 'passwd'])), /is not a data directory/);
  });

  test('is not one that users besides root and its owner could put there', async () => {
    const data = make('group/data', ['mysql/', 'ibdata1']);
    await mysql(data);
    // The mode's group class shows an access control list too.
    chmodSync(path.dirname(data), 0o775);
    await assert.rejects(mysql(data), /can change \/srv\/data-\w+\/group, .*"chmod go-w/);
    chmodSync(path.dirname(data), 0o755);
    chownSync(path.dirname(data), OWNER + 1, 0);
    await assert.rejects(mysql(data), /can change \/srv\/data-\w+\/group, /);
  });

  test('of its owner below a directory of its own is fine', async () => {
    const data = make('pg/15/main', ['PG_VERSION', 'global/']);
    chownSync(path.dirname(data), OWNER, OWNER);
    await postgres(path.join(directory, 'pg'));
  });

  test('without any contents is a problem that the plan names', async () => {
    const empty = make('databases', []);
    const trees = await findTrees([{ kind: 'databases', directory: empty, from: '--test' }]);
    const sized = await Promise.all(trees.map(async tree => ({ tree, size: await measure(tree, trees) })));
    assert.match(
      (await problemsOf(sized)).join('\n'),
      /^there is nothing to copy: no file in \S*databases holds anything$/m,
    );
  });
});
