import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { partUnderControlOf } from '../../src/daemon/control.ts';
import type { Account } from '../../src/daemon/privileges.ts';
import { asRoot, directory } from './fixtures/run.ts';

const WEB: Account = { name: 'www-data', uid: 33, gid: 33, groups: [33, 50], home: '/var/www' };

type Make = (at: (name: string) => string) => void;

function group(gid: number, mode: number): Make {
  return at => {
    chownSync(at('dir/file'), 0, gid);
    chmodSync(at('dir/file'), mode);
  };
}

/** Each makes `dir/file` in an empty directory of root's; by which part the web user controls it. */
const CASES: readonly [string, Make, string | undefined][] = [
  ['root’s file in root’s directory', () => {}, undefined],
  ['the user’s file', at => chownSync(at('dir/file'), 33, 0), 'dir/file'],
  ['a file for everyone', at => chmodSync(at('dir/file'), 0o666), 'dir/file'],
  ['a file of a group of the user', group(50, 0o664), 'dir/file'],
  ['a file that this group may only read', group(50, 0o644), undefined],
  ['a file of a group of others', group(51, 0o664), undefined],
  ['a file of another user', at => chownSync(at('dir/file'), 1, 1), undefined],
  ['root’s file in the user’s directory', at => chownSync(at('dir'), 33, 33), 'dir'],
  ['a directory for everyone', at => chmodSync(at('dir'), 0o777), 'dir'],
  ['root’s file in a directory like /tmp', at => chmodSync(at('dir'), 0o1777), undefined],
  ['the user’s directory further up', at => chownSync(at('.'), 33, 33), '.'],
];

for (const [what, make, part] of CASES) {
  test(
    `${what}: ${part === undefined ? 'out of the user’s reach' : `controlled by ${part}`}`,
    asRoot,
    async t => {
      const here = directory(t);
      const at = (name: string) => path.join(here, name);
      mkdirSync(at('dir'));
      writeFileSync(at('dir/file'), '');
      make(at);
      const expected = part === undefined ? undefined : at(part);
      assert.equal(await partUnderControlOf(WEB, at('dir/file'), 'content'), expected);
      // The same through a link of root's, absolute and relative.
      for (const target of [at('dir'), 'dir']) {
        const link = at(`link-${path.isAbsolute(target)}`);
        symlinkSync(target, link);
        assert.equal(await partUnderControlOf(WEB, path.join(link, 'file'), 'content'), expected);
      }
    },
  );
}

test(
  'who may write into a file decides about its place only where files can be exchanged',
  asRoot,
  async t => {
    const here = directory(t);
    const file = path.join(here, 'file');
    writeFileSync(file, '');
    chownSync(file, 33, 33);
    assert.equal(await partUnderControlOf(WEB, file, 'place'), undefined);
    chmodSync(here, 0o1777);
    assert.equal(await partUnderControlOf(WEB, file, 'place'), file);
  },
);

test('a file that is not there yet is controlled by who could create it', asRoot, async t => {
  const here = directory(t);
  assert.equal(await partUnderControlOf(WEB, path.join(here, 'new'), 'place'), undefined);
  chmodSync(here, 0o1777);
  assert.equal(await partUnderControlOf(WEB, path.join(here, 'new'), 'place'), here);
});

test('a link in a directory of the user’s counts, wherever it leads', asRoot, async t => {
  const here = directory(t);
  mkdirSync(path.join(here, 'web'));
  symlinkSync('/etc/passwd', path.join(here, 'web', 'link'));
  chownSync(path.join(here, 'web'), 33, 33);
  assert.equal(
    await partUnderControlOf(WEB, path.join(here, 'web', 'link'), 'place'),
    path.join(here, 'web'),
  );
});

test('links that lead in a circle are an error', async t => {
  const here = directory(t);
  symlinkSync(path.join(here, 'b'), path.join(here, 'a'));
  symlinkSync(path.join(here, 'a'), path.join(here, 'b'));
  await assert.rejects(partUnderControlOf(WEB, path.join(here, 'a'), 'place'), /Too many symbolic links/);
});
