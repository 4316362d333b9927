import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { lookUpAccount, mustBecome } from '../../src/daemon/privileges.ts';
import { isUserError } from '../../src/errors.ts';
import { asRoot, directory } from './fixtures/run.ts';

test('a user is found by name, with all groups', async () => {
  const { username, uid, gid, homedir } = userInfo();
  const account = await lookUpAccount(username);
  assert.deepEqual({ ...account, groups: [] }, { name: username, uid, gid, home: homedir, groups: [] });
  assert.ok(account.groups.includes(gid));
  assert.equal(mustBecome(account), false);
});

test('no program of the caller’s PATH is used to find users', async t => {
  const here = directory(t);
  for (const name of ['getent', 'id']) {
    writeFileSync(path.join(here, name), '#!/bin/sh\necho evil:x:0:0::/:/bin/sh\n', { mode: 0o755 });
  }
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  process.env.PATH = `${here}:${before}`;
  assert.partialDeepStrictEqual(await lookUpAccount('www-data'), { name: 'www-data', uid: 33 });
});

test('a name that no user has is a mistake on the command line, whatever it looks like', async () => {
  for (const name of ['no-such-user-here', '', '--help', '-s', 'root:x', '99999999', '$(id)']) {
    await assert.rejects(lookUpAccount(name), error => isUserError(error) && error.exitStatus === 2, name);
  }
});

test('once root has become another user, nothing of root is left', asRoot, () => {
  const script = path.join(import.meta.dirname, 'fixtures/drop.ts');
  const asRootOfManyGroups = ['--groups', '0,4', process.execPath, script, 'www-data'];
  const seen = JSON.parse(execFileSync('setpriv', asRootOfManyGroups, { encoding: 'utf8' }));
  assert.deepEqual(seen, {
    ids: [33, 33, 33, 33],
    groups: [33],
    home: '/var/www',
    user: 'www-data',
    shadow: 'EACCES',
    back: 'EPERM',
    backGroup: 'EPERM',
    other: 'only root can become another user',
  });
});
