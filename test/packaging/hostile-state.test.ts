import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { onPath } from './fixtures/roots.ts';

const PACKAGING = path.resolve(import.meta.dirname, '../../packaging');
const FIXTURE = path.join(import.meta.dirname, 'fixtures/own-directories.sh');
const MISSING = ['unshare', 'dpkg-divert', 'adduser', 'update-rc.d', 'deb-systemd-helper'].find(
  it => !onPath(it),
);
const SKIP = process.getuid?.() !== 0 ? 'needs root' : MISSING !== undefined && `${MISSING} is not installed`;

/** What stands outside after this was run, with owners, modes and the text of the one file. */
function outsideAfter(script: string): { readonly outside: string; readonly said: string } {
  const look = 'echo ---; cd /mnt/outside; find . -printf "%p %U %G %m\\n" | sort; cat file';
  const args = ['-m', '-n', '-p', '--fork', '--kill-child', 'sh', FIXTURE, PACKAGING, `${script}\n${look}`];
  const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stdout + stderr);
  const [said = '', outside = ''] = stdout.split('---\n');
  return { outside, said: said + stderr };
}

const UNTOUCHED = '. 0 0 755\n./file 0 0 640\nprecious\n';
const INSTALL = 'sh "$PACKAGING/postinst" configure';
const UPGRADE = `${INSTALL} 0.0.1`;
const PURGE = 'sh "$PACKAGING/postrm" purge';
const STATE = '/var/lib/$NAME/shipped';

const TABLE = [
  {
    who: 'the balancer’s user owns its home, and has planted links in the place of the checksums',
    state: `mkdir -p ${STATE}; ln -s /mnt/outside/file ${STATE}/default.$NAME; ln -s /mnt/outside/new ${STATE}/init.d.$NAME
      chown -R nobody /var/lib/$NAME`,
    after: `test -s ${STATE}/init.d.$NAME; test "$(stat -c %U /var/lib/$NAME)" = root`,
  },
  {
    who: 'the directory of the checksums is a link',
    state: `mkdir /var/lib/$NAME; ln -s /mnt/outside ${STATE}; chown -h nobody /var/lib/$NAME ${STATE}`,
    after: `test ! -L ${STATE}`,
  },
  {
    who: 'the directory of GBrowse’s configuration belongs to somebody else, and a link to nothing is in it',
    state: 'chown www-data /etc/gbrowse2; ln -s /mnt/outside/new /etc/gbrowse2/aws_balancer.conf',
    after: '',
  },
  {
    who: 'others may write into it by an access control list, and a link to a file is in it',
    state: 'chmod 775 /etc/gbrowse2; ln -s /mnt/outside/file /etc/gbrowse2/aws_balancer.conf',
    after: '',
  },
  {
    who: 'a link leads through somebody else’s directory',
    state: `mkdir /mnt/web; chown www-data /mnt/web; ln -s /mnt/outside/new /mnt/web/conf
      ln -s /mnt/web/conf /etc/gbrowse2/aws_balancer.conf`,
    after: '',
  },
  {
    who: 'log, run and state directories are links',
    state: 'ln -s /mnt/outside /var/log/$NAME; ln -s /mnt/outside /run/$NAME',
    after: 'test -s /etc/gbrowse2/aws_balancer.conf; test -x /etc/init.d/$NAME',
  },
  {
    who: 'log and run directory belong to the balancer’s user, and links are in the place of log and pidfile',
    state: `mkdir -p /var/log/$NAME /run/$NAME; chown nobody /var/log/$NAME /run/$NAME
      ln -s /mnt/outside/file /var/log/$NAME/$NAME.log; ln -s /mnt/outside/file /run/$NAME/$NAME.pid`,
    after: `sh "$PACKAGING/prerm" upgrade 0.0.2; sh "$PACKAGING/prerm" remove; ! /etc/init.d/$NAME stop`,
  },
];

for (const { who, state, after } of TABLE) {
  test(`${who}: installation, upgrade and purge touch nothing outside`, { skip: SKIP }, () => {
    const { outside } = outsideAfter(`${state}\n${INSTALL}\n${after}\n${UPGRADE}\n${PURGE}`);
    assert.equal(outside, UNTOUCHED);
  });
}

test('a directory that others can change is named, with where the file is', { skip: SKIP }, () => {
  const { said } = outsideAfter(
    `chown www-data /etc/gbrowse2; ${INSTALL}; test ! -e /etc/gbrowse2/aws_balancer.conf`,
  );
  assert.match(
    said,
    /gbrowse2\/aws_balancer\.conf stays as it is: others than root can change its directory\. What belongs there is \/usr\/share\//,
  );
});

test('a pipe in the place of the configuration or the log holds nobody up', { skip: SKIP }, () => {
  const { said } = outsideAfter(`. /usr/lib/$NAME/settings; mkdir -p "$LOGDIR"; mkfifo "$CONFFILE" "$LOGFILE"
    timeout 10 sh -c '. /usr/lib/gbrowse-aws-balancer/settings; prepare_farm; print_farewell; ! is_configured'`);
  assert.match(said, /is not configured/);
});

const REMOVE = 'sh "$PACKAGING/prerm" remove';
/** A service that does not stop: no policy or service manager ends what it has not started. */
const SERVICE = `mkdir -p /run/$NAME /etc/init.d; echo 1 >/run/$NAME/$NAME.pid; touch /run/alive
  printf '#!/bin/sh\\ncase $1 in status) test -e /run/alive || exit 3 ;; esac\\n' >/etc/init.d/$NAME
  chmod 755 /etc/init.d/$NAME; echo DAEMON=/mnt/daemon >/etc/default/$NAME`;

test('removal where services cannot be stopped ends the balancer by its pidfile', { skip: SKIP }, () => {
  const { said } = outsideAfter(`${SERVICE}
    printf '#!/bin/sh\\necho "asked: $*"; rm -f /run/alive\\n' >/mnt/daemon; chmod 755 /mnt/daemon; ${REMOVE}`);
  assert.match(said, /^asked: --kill --pidfile \/run\/gbrowse-aws-balancer\/gbrowse-aws-balancer\.pid$/m);
  assert.doesNotMatch(said, /could not be stopped|still runs/);
});

test('removal of a balancer that does not end names its process', { skip: SKIP }, () => {
  const { said } = outsideAfter(`${SERVICE}; cp /bin/dash /mnt/daemon
    /mnt/daemon -c 'sleep 60; :' >/dev/null 2>&1 & sleep 1; ${REMOVE}`);
  assert.match(said, /could not be stopped, so its slaves may still be running/);
  assert.match(said, /still runs, as process \d+, and its program is about to be removed/);
});
