import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nodePackage } from '../../build/node.mjs';
import { bundledFiles } from '../../build/package/bundled-files.ts';
import { debianChangelog } from '../../build/package/changelog.ts';
import { copyrightFile } from '../../build/package/copyright.ts';
import { type DebOptions, makeDeb } from '../../build/package/deb.ts';
import { EPOCH } from './fixtures/packages.ts';
import { onPath } from './fixtures/roots.ts';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, 'dist/gbrowse-aws-balancer');
const without = (...commands: readonly string[]) => {
  const missing = commands.find(it => !onPath(it));
  return missing === undefined ? false : `${missing} is not installed`;
};
const checksum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the Debian package', { skip: without('dpkg-deb') }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'package-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function make(name: string, options: Partial<DebOptions> = {}): Promise<string> {
    const output = path.join(directory, `${name}.deb`);
    await makeDeb({
      binary: program,
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      version: '0.1.0',
      epoch: EPOCH,
      changelog: readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'),
      copyright: await copyrightFile(root, await bundledFiles(root), nodePackage(process.arch)),
      output,
      ...options,
    });
    return output;
  }

  test('the same commit gives the same bytes, whoever builds it, where and when', async () => {
    const first = await make('first', { binary: '/bin/true' });
    const { TZ, LC_ALL } = process.env;
    const umask = process.umask(0o077);
    Object.assign(process.env, { TZ: 'Asia/Tokyo', LC_ALL: 'C' });
    try {
      assert.equal(checksum(await make('second', { binary: '/bin/true' })), checksum(first));
    } finally {
      process.umask(umask);
      for (const [name, value] of Object.entries({ TZ, LC_ALL })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test('the executable too', () => {
    const copy = path.join(directory, 'copy');
    for (const name of ['build', 'src', 'package.json', 'package-lock.json']) {
      cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    const [first, second] = ['UTC', 'Asia/Tokyo'].map(TZ => {
      execFileSync(process.execPath, [path.join(copy, 'build/build.ts')], {
        stdio: 'ignore',
        env: { ...process.env, TZ },
      });
      return checksum(path.join(copy, 'dist/gbrowse-aws-balancer'));
    });
    assert.equal(second, first);
  });

  test('everything in it is root’s, and has the time of the commit', async () => {
    const list = execFileSync('dpkg-deb', ['-c', await make('list', { binary: '/bin/true' })], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });
    for (const line of list.trim().split('\n')) {
      assert.match(line, /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root\/root +\d+ 2026-11-22 00:00 /);
    }
    // dpkg would stop and ask.
    assert.doesNotMatch(list, /\.\/etc\/(init\.d|default|gbrowse2)\/./);
  });

  test('what the executable is linked with is in Depends', { skip: without('objdump') }, async () => {
    const headers = execFileSync('objdump', ['-p', program], { encoding: 'utf8' });
    const needed = [...headers.matchAll(/NEEDED +(\S+)/g)].map(([, name = '']) => name);
    const fromLibc = /^(libc|libm|libdl|libpthread|librt|ld-linux\S*)\.so/;
    assert.deepEqual(needed.filter(name => !fromLibc.test(name)).sort(), ['libgcc_s.so.1', 'libstdc++.so.6']);
    const newest = (prefix: string) =>
      [...headers.matchAll(new RegExp(`\\s${prefix}_(\\d+)\\.(\\d+)(?:\\.(\\d+))?$`, 'gm'))]
        .map(([, ...parts]) => parts.map(part => Number(part ?? 0)))
        .reduce((a, b) =>
          a.some((part, at) => part < (b[at] ?? 0) && a.slice(0, at).every((it, i) => it === b[i])) ? b : a,
        );
    assert.ok((newest('GLIBC')[1] ?? 99) <= 28, `GLIBC_${newest('GLIBC').join('.')}`);
    // libstdc++6 of GCC 8 has 3.4.25.
    assert.ok((newest('GLIBCXX')[2] ?? 99) <= 25, `GLIBCXX_${newest('GLIBCXX').join('.')}`);
    const depends = execFileSync(
      'dpkg-deb',
      ['-f', await make('depends', { binary: '/bin/true' }), 'Depends'],
      {
        encoding: 'utf8',
      },
    );
    assert.match(depends, /libc6 \(>= 2\.28\).*libgcc-s1.*libstdc\+\+6 \(>= 8\)/);
  });

  test('lintian has nothing to say that is not overridden with a reason', {
    skip: without('lintian'),
  }, async () => {
    const deb = await make('lintian', { compression: 'gzip' });
    const { stdout } = spawnSync('lintian', ['--tag-display-limit', '0', '--allow-root', deb], {
      encoding: 'utf8',
    });
    assert.equal(stdout, '');
  });
});

test("a version without a section in CHANGELOG.md is an error; one with it becomes Debian's changelog", () => {
  const about = {
    version: '1.2.3',
    date: 'Sun, 22 Nov 2026 00:00:00 +0000',
    maintainer: 'A <a@example.org>',
  };
  const markdown =
    '# Changelog\n\n## 1.2.3 – today\n\n- One thing\n  of `two` lines.\n- Another.\n\n## 1.2.2\n\n- Old.\n';
  assert.equal(
    debianChangelog(markdown, about),
    `gbrowse-aws-balancer (1.2.3) unstable; urgency=medium

  * One thing of two lines.
  * Another.

 -- A <a@example.org>  Sun, 22 Nov 2026 00:00:00 +0000
`,
  );
  assert.throws(() => debianChangelog(markdown, { ...about, version: '9' }), /CHANGELOG\.md has no section/);
});
