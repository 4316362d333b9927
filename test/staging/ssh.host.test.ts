import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findProgram } from '../../src/os/command.ts';
import { makeKeys } from '../../src/staging/keys.ts';
import { sshConfig } from '../../src/staging/ssh.ts';
import { stagingUserData } from '../../src/staging/user-data.ts';
import { prepareScript, sealScript } from '../../src/sync/volumes/script.ts';
import { notAlone } from '../peers/own-namespaces.ts';

// Root's keys lie in /run.
if (notAlone === false) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);

const skip = findProgram('ssh-keygen') === undefined && 'openssh-client is not installed';

describe('the way to the staging machine', { skip }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'ssh test-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  test('ssh reads its configuration, and knows nobody but the machine', () => {
    const file = path.join(directory, 'config');
    writeFileSync(file, sshConfig(directory, '2001:db8::1', 'admin'));
    const { stdout, stderr, status } = spawnSync('ssh', ['-G', '-F', file, 'staging'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    const options = new Map(
      stdout.split('\n').map(line => [line.split(' ', 1)[0], line.replace(/^\S+ /, '')]),
    );
    assert.deepEqual(
      ['hostname', 'stricthostkeychecking', 'batchmode', 'hostkeyalias', 'userknownhostsfile'].map(it =>
        options.get(it),
      ),
      ['2001:db8::1', 'true', 'yes', 'staging', `${directory}/known_hosts`],
    );
  });

  test('keys that a killed run has left are removed by the next, those of a running one and others are not', async () => {
    const first = await makeKeys();
    const parent = path.dirname(first.directory);
    await first.remove();
    const ended = spawnSync('true').pid;
    const [stale = '', living = '', open = ''] = [ended, process.pid, ended].map(pid =>
      mkdtempSync(path.join(parent, `gbrowse-sync-${pid}-`)),
    );
    const link = path.join(parent, `gbrowse-sync-${ended}-link`);
    symlinkSync(directory, link);
    // Not one of ours: those are nobody else's to look into.
    chmodSync(open, 0o755);
    const keys = await makeKeys();
    await keys.remove();
    assert.deepEqual(
      [stale, living, open, link].map(it => existsSync(it)),
      [false, true, true, true],
    );
    for (const it of [living, open, link]) rmSync(it, { recursive: true });
  });

  test('root keeps keys where no other user can put anything', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    const keys = await makeKeys();
    const parent = statSync(path.dirname(keys.directory));
    await keys.remove();
    assert.deepEqual([parent.uid, parent.mode & 0o777], [0, 0o700]);
  });

  test('keys are where only we can read them, and are gone at the end', async () => {
    const keys = await makeKeys();
    assert.equal(statSync(keys.directory).mode & 0o777, 0o700);
    assert.deepEqual(
      readdirSync(keys.directory)
        .filter(it => !it.endsWith('.pub'))
        .toSorted(),
      ['known_hosts', 'login'],
    );
    const known = readFileSync(path.join(keys.directory, 'known_hosts'), 'utf8');
    assert.match(known, /^staging ssh-ed25519 \S+ .*\nstaging ecdsa-sha2-nistp256 \S+ .*\n$/);
    const text = stagingUserData(keys, 'admin', 3_600_000);
    assert.ok(text.includes(keys.login));
    assert.ok(Buffer.byteLength(text) < 16_384);
    await keys.remove();
    assert.throws(() => readdirSync(keys.directory), /ENOENT/);
  });
});

const VOLUMES = [{ volumeId: 'vol-0123', device: '/dev/sdg', size: 1, isNew: true }];
const USER_DATA = stagingUserData({ login: 'ssh-ed25519 AAAA', host: { key: 'text' } }, 'admin', 60_000);
/** The parts of the user-data, without their headers. */
const PARTS = USER_DATA.split(/^--.*\n/m).flatMap(part =>
  part.includes('#!') ? [part.replace(/^.*\n\n/, '')] : [],
);

test('the user-data guards the staging machine at every boot, and gives it its keys once', () => {
  assert.match(USER_DATA, /^Content-Type: multipart\/mixed; boundary="(.*)"\nMIME-Version: 1\.0\n\n--/);
  const [guard = '', access = ''] = PARTS;
  assert.match(guard, /^#cloud-boothook\n#!\/bin\/sh\n/);
  assert.match(guard, /\(exec >\/dev\/null 2>&1 <\/dev\/null; guard\) &/);
  assert.match(access, /^#!\/bin\/sh\n/);
  assert.ok(!guard.includes('ssh') && access.includes('ssh-ed25519 AAAA'));
});

for (const [what, script] of [
  ['guarding', PARTS[0] ?? ''],
  ['access', PARTS[1] ?? ''],
  ['preparing', prepareScript(VOLUMES, 8192)],
  ['sealing', sealScript([])],
] as const) {
  for (const shell of ['dash', 'bash', 'busybox']) {
    test(`the script for ${what} is one that ${shell} understands`, {
      skip: findProgram(shell) === undefined,
    }, () => {
      const words = shell === 'busybox' ? ['sh', '-n'] : ['-n'];
      const { status, stderr } = spawnSync(shell, words, { input: script, encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
    });
  }
}
