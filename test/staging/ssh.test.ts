import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findProgram } from '../../src/staging/command.ts';
import { makeKeys } from '../../src/staging/keys.ts';
import { sshConfig } from '../../src/staging/ssh.ts';
import { stagingUserData } from '../../src/staging/user-data.ts';
import { prepareScript, sealScript } from '../../src/sync/volumes/script.ts';

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

  test('keys that a killed sync has left are removed by the next, those of a running one are not', async () => {
    const ended = spawnSync('true').pid;
    const [stale, living] = [ended, process.ppid].map(pid =>
      mkdtempSync(path.join(tmpdir(), `gbrowse-sync-${pid}-`)),
    );
    const keys = await makeKeys();
    await keys.remove();
    assert.deepEqual([existsSync(stale ?? ''), existsSync(living ?? '')], [false, true]);
    rmSync(living ?? '', { recursive: true });
  });

  test('keys lie where only we can look, and are gone in the end', async () => {
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
for (const [what, script] of [
  ['user-data', stagingUserData({ login: 'ssh-ed25519 AAAA', host: { key: 'text' } }, 'admin', 60_000)],
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
