import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { foreignPartOf } from '../../src/os/root-path.ts';
import { asRoot, directory } from '../daemon/fixtures/run.ts';

async function partOf(file: string, about: 'content' | 'place'): Promise<string | undefined> {
  return (await foreignPartOf(file, about))?.path;
}

type Make = (at: (name: string) => string) => void;

function group(gid: number, mode: number): Make {
  return at => {
    chownSync(at('dir/file'), 0, gid);
    chmodSync(at('dir/file'), mode);
  };
}

/** Each makes `dir/file` in an empty directory of root's; by which part somebody else than root controls it. */
const CASES: readonly [string, Make, string | undefined][] = [
  ['root’s file in root’s directory', () => {}, undefined],
  ['the user’s file', at => chownSync(at('dir/file'), 33, 0), 'dir/file'],
  ['a file for everyone', at => chmodSync(at('dir/file'), 0o666), 'dir/file'],
  ['a file that a group may write to', group(50, 0o664), 'dir/file'],
  ['a file that root’s group may write to, which may be an access control list', group(0, 0o674), 'dir/file'],
  ['a file that a group may only read', group(50, 0o644), undefined],
  ['a file of any other user', at => chownSync(at('dir/file'), 1, 1), 'dir/file'],
  ['a directory that a group may write to', at => chmodSync(at('dir'), 0o775), 'dir'],
  ['root’s file in the user’s directory', at => chownSync(at('dir'), 33, 33), 'dir'],
  ['a directory for everyone', at => chmodSync(at('dir'), 0o777), 'dir'],
  ['root’s file in a directory like /tmp', at => chmodSync(at('dir'), 0o1777), undefined],
  ['the user’s directory further up', at => chownSync(at('.'), 33, 33), '.'],
];

for (const [what, make, part] of CASES) {
  test(`${what}: ${part === undefined ? 'root’s alone' : `controlled by ${part}`}`, asRoot, async t => {
    const here = directory(t);
    const at = (name: string) => path.join(here, name);
    mkdirSync(at('dir'));
    writeFileSync(at('dir/file'), '');
    make(at);
    const expected = part === undefined ? undefined : at(part);
    assert.equal(await partOf(at('dir/file'), 'content'), expected);
    // The same through a link of root's, absolute and relative.
    for (const target of [at('dir'), 'dir']) {
      const link = at(`link-${path.isAbsolute(target)}`);
      symlinkSync(target, link);
      assert.equal(await partOf(path.join(link, 'file'), 'content'), expected);
    }
  });
}

test(
  'who may write into a file decides about its place only where files can be exchanged',
  asRoot,
  async t => {
    const here = directory(t);
    const file = path.join(here, 'file');
    writeFileSync(file, '');
    chownSync(file, 33, 33);
    assert.equal(await partOf(file, 'place'), undefined);
    chmodSync(here, 0o1777);
    assert.equal(await partOf(file, 'place'), file);
  },
);

test('a file that is not there yet is controlled by who could create it', asRoot, async t => {
  const here = directory(t);
  assert.equal(await partOf(path.join(here, 'new'), 'place'), undefined);
  chmodSync(here, 0o1777);
  assert.equal(await partOf(path.join(here, 'new'), 'place'), here);
});

test('a link in a directory of the user’s counts, wherever it leads', asRoot, async t => {
  const here = directory(t);
  mkdirSync(path.join(here, 'web'));
  symlinkSync('/etc/passwd', path.join(here, 'web', 'link'));
  chownSync(path.join(here, 'web'), 33, 33);
  assert.equal(await partOf(path.join(here, 'web', 'link'), 'place'), path.join(here, 'web'));
});

test('links that lead in a circle are an error', async t => {
  const here = directory(t);
  symlinkSync(path.join(here, 'b'), path.join(here, 'a'));
  symlinkSync(path.join(here, 'a'), path.join(here, 'b'));
  await assert.rejects(partOf(path.join(here, 'a'), 'place'), /too many symbolic links/);
});

test('an access control list that lets another user write is seen', asRoot, async t => {
  const here = directory(t);
  const file = path.join(here, 'file');
  writeFileSync(file, '');
  const { status } = spawnSync('setfacl', ['-m', 'u:65534:rw', file]);
  if (status !== 0) {
    t.skip('setfacl is not installed, or the file system has no access control lists');
    return;
  }
  assert.equal(statSync(file).uid, 0);
  assert.equal(await partOf(file, 'content'), file);
});
