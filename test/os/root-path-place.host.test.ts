import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { foreignPartOf } from '../../src/os/root-path.ts';
import { notAlone } from '../peers/own-namespaces.ts';

const BOB = 4001;

describe('who decides what stands at a path', { skip: notAlone }, () => {
  let top: string;
  const at = (...names: readonly string[]) => path.join(top, ...names);
  before(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/srv']);
  });
  after(() => {
    execFileSync('umount', ['--lazy', '/srv']);
  });
  beforeEach(() => {
    top = mkdtempSync('/srv/path-');
    chmodSync(top, 0o755);
    mkdirSync(at('dir'));
    writeFileSync(at('dir', 'file'), '');
  });
  afterEach(() => rmSync(top, { recursive: true }));

  for (const [what, arrange, expected] of [
    ['root, whoever owns the file itself', () => chownSync(at('dir', 'file'), BOB, BOB), undefined],
    ['the owner of a directory', () => chownSync(at('dir'), BOB, BOB), 'dir'],
    ['a group that may write to a directory', () => chmodSync(at('dir'), 0o775), 'dir'],
    ['all, where all may write', () => chmodSync(at('dir'), 0o777), 'dir'],
    [
      'whoever put it into a shared directory',
      () => {
        chmodSync(at('dir'), 0o1777);
        chownSync(at('dir', 'file'), BOB, BOB);
      },
      'dir/file',
    ],
    ['root, which put it into a shared directory', () => chmodSync(at('dir'), 0o1777), undefined],
    [
      'who decides where a link leads',
      () => {
        mkdirSync(at('bob'));
        writeFileSync(at('bob', 'file'), '');
        chownSync(at('bob'), BOB, BOB);
        rmSync(at('dir', 'file'));
        symlinkSync('../bob/file', at('dir', 'file'));
      },
      'bob',
    ],
    [
      'root, through a link of its own',
      () => {
        writeFileSync(at('other'), '');
        rmSync(at('dir', 'file'));
        symlinkSync(at('other'), at('dir', 'file'));
      },
      undefined,
    ],
    [
      'an access control list, which shows in the mode of the group',
      () => execFileSync('setfacl', ['-m', `u:${BOB}:rwx`, at('dir')]),
      'dir',
    ],
  ] as const) {
    test(what, async t => {
      try {
        arrange();
      } catch (error) {
        if (error instanceof Error && /setfacl/.test(error.message)) return t.skip('no setfacl here');
        throw error;
      }
      const part = (await foreignPartOf(at('dir', 'file'), 'place'))?.path;
      assert.equal(part === undefined ? undefined : path.relative(top, part), expected);
      if (what === 'the owner of a directory') {
        assert.equal(await foreignPartOf(at('dir', 'file'), 'place', [BOB]), undefined);
        assert.equal(await foreignPartOf(at('dir'), 'place'), undefined);
      }
    });
  }

  test('a loop of links is an error', async () => {
    symlinkSync('loop', at('loop'));
    await assert.rejects(foreignPartOf(at('loop'), 'place'), /too many symbolic links/);
  });
});
