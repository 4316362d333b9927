import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  archiveScript,
  cleanScript,
  installScript,
  ownScript,
  settleScript,
} from '../../../src/image/machine/scripts.ts';

/** Runs a script of the staging machine with its paths below a directory; what would reach this machine is a stand-in. */
function run(root: string, script: string): string {
  const bin = path.join(root, 'bin');
  const below = script
    .replaceAll(/(?<![\w$"{}/.*-])\/(etc|var|run|usr\/sbin\/policy-rc\.d|root)\b/g, `${root}/$1`)
    .replace(/^PATH=.*$/m, `PATH=${bin}:/usr/bin:/bin`);
  return execFileSync('sh', ['-s'], { input: below, encoding: 'utf8' });
}

describe('on the staging machine', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'image-scripts-'));
    for (const place of ['bin', 'etc/default', 'etc/init.d', 'var/tmp', 'usr/sbin']) {
      mkdirSync(path.join(root, place), { recursive: true });
    }
    for (const name of ['systemctl', 'update-rc.d']) {
      writeFileSync(path.join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> ${root}/called\n`, {
        mode: 0o755,
      });
    }
    writeFileSync(path.join(root, 'etc/default/gbrowse-slave'), 'PREFORK=3\n');
  });
  after(() => rmSync(root, { recursive: true }));

  test('every script is one that the shell takes', () => {
    const scripts = [
      archiveScript(["it's"]),
      installScript(['a', 'b']),
      settleScript(['/srv/a b', "/it's"]),
      ownScript('#!/bin/sh\necho "\'$x\'"\n'),
      cleanScript('admin'),
    ];
    for (const script of scripts) execFileSync('sh', ['-n', '-s'], { input: script });
  });

  test("Perl's directories of the master are put into the slave's settings, once, and can be read back", () => {
    const libraries = ["/srv/it's perl", '/srv/$HOME'];
    run(root, settleScript(['/srv/old']));
    run(root, settleScript(libraries));
    const file = path.join(root, 'etc/default/gbrowse-slave');
    const read = execFileSync('sh', ['-c', `. ${file}; printf '%s|%s' "$PREFORK" "$PERL5LIB"`], {
      encoding: 'utf8',
    });
    assert.equal(read, `3|${libraries.join(':')}`);
    assert.equal(readFileSync(file, 'utf8').split('\n').length, 3);
    run(root, settleScript([]));
    assert.equal(readFileSync(file, 'utf8'), 'PREFORK=3\n');
  });

  test("the package's own slaves never start, Apache and database servers not at boot", () => {
    const called = readFileSync(path.join(root, 'called'), 'utf8');
    assert.match(called, /^systemctl mask gbrowse-slave\.service gbrowse-aws-balancer\.service$/m);
    for (const service of ['apache2', 'mariadb', 'mysql', 'postgresql', 'apt-daily.timer']) {
      assert.ok(called.includes(`systemctl disable ${service}\n`), service);
    }
  });

  test('the script of the administrator reads nothing, its status counts, and it does not stay', () => {
    const said = run(root, `${ownScript('#!/bin/sh\ncat\necho done\n')}`);
    assert.equal(said, 'done\n');
    assert.throws(() => run(root, ownScript('#!/bin/sh\nexit 7\n')), { status: 7 });
    assert.equal(execFileSync('ls', [path.join(root, 'var/tmp')], { encoding: 'utf8' }), '');
  });
});
