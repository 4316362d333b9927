import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { findIdentity } from '../../src/login/identity.ts';
import { logCommand, logScript } from '../../src/login/log-script.ts';
import { sshOptions } from '../../src/login/ssh.ts';
import { findProgram } from '../../src/os/command.ts';

const root = mkdtempSync(path.join(tmpdir(), 'login-'));
after(() => rmSync(root, { recursive: true }));

test('ssh itself understands the options: one list of known hosts, no question, no settings of anybody’s', {
  skip: findProgram('ssh') === undefined && 'openssh-client is not installed',
}, () => {
  const known = path.join(root, 'a b%h', 'known_hosts');
  const destination = { instanceId: 'i-1', address: '10.0.0.5', login: 'admin', hostKeys: [] };
  const identity = path.join(root, 'key');
  writeFileSync(identity, '');
  const options = sshOptions({ ...destination, identity }, known);
  const text = execFileSync('ssh', [...options, '-G', '--', '10.0.0.5'], { encoding: 'utf8' });
  const settings = new Map(
    text.split('\n').map(line => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
  );
  for (const [name, value] of [
    ['user', 'admin'],
    ['hostname', '10.0.0.5'],
    ['hostkeyalias', 'i-1'],
    ['stricthostkeychecking', 'true'],
    ['globalknownhostsfile', '/dev/null'],
    ['identityfile', identity],
    ['identitiesonly', 'yes'],
    ['forwardagent', 'no'],
    ['updatehostkeys', 'false'],
  ] as const) {
    assert.equal(settings.get(name), value, name);
  }
  assert.match(settings.get('userknownhostsfile') ?? '', /a b%/);
  assert.doesNotMatch(sshOptions(destination, known).join('\n'), /Identity(File|sOnly)/);
});

test('ssh finds a private key whose name has blanks and percent signs', {
  skip: findProgram('ssh') === undefined && 'openssh-client is not installed',
}, async t => {
  // It greets, and hangs up: ssh looks for the key before it exchanges keys.
  const server = createServer(socket => socket.on('error', () => {}).end('SSH-2.0-peer\r\n'));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const identity = path.join(root, 'a%b 100%.pem');
  writeFileSync(identity, '', { mode: 0o600 });
  const destination = { instanceId: 'i-1', address: '127.0.0.1', login: 'admin', hostKeys: [], identity };
  const options = sshOptions(destination, path.join(root, 'known_hosts'));
  const ssh = spawn('ssh', [...options, '-v', '-p', String(address.port), '--', '127.0.0.1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  });
  let said = '';
  ssh.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await once(ssh, 'close');
  assert.ok(said.includes(`identity file ${identity} type`), said);
  assert.doesNotMatch(said, /not accessible|unknown key/);
});

describe('the private key', () => {
  const home = path.join(root, 'home');
  mkdirSync(path.join(home, '.ssh'), { recursive: true });
  for (const name of ['farm.pem', 'farm', 'other']) writeFileSync(path.join(home, '.ssh', name), '');
  for (const [what, given, name, found] of [
    ['is the file that is given', path.join(home, '.ssh/other'), 'farm', '.ssh/other'],
    ['is called as the download of the key pair', undefined, 'farm', '.ssh/farm.pem'],
    ['is called as the key pair', undefined, 'other', '.ssh/other'],
    ['is what ssh finds itself', undefined, 'none', undefined],
    ['is never outside of ~/.ssh', undefined, '../.ssh/other', undefined],
  ] as const) {
    test(what, async () => {
      const identity = await findIdentity(given, name, home);
      assert.equal(identity, found === undefined ? undefined : path.join(home, found));
    });
  }
  test('has to be there when it is given', async () => {
    await assert.rejects(findIdentity(path.join(home, 'no'), 'farm', home), /--identity: .*ENOENT/);
    await assert.rejects(findIdentity(home, 'farm', home), /--identity: .* is a directory/);
  });
});

describe('the logs of a slave', () => {
  const logs = path.join(root, 'var/log');
  mkdirSync(path.join(logs, 'gbrowse'), { recursive: true });
  writeFileSync(path.join(logs, 'gbrowse/gbrowse_slave'), 'one\ntwo\nthree\n');
  writeFileSync(path.join(logs, 'cloud-init-output.log'), 'first\nlast\n');
  writeFileSync(path.join(root, 'secret'), 'secret\n');
  execFileSync('ln', ['-s', path.join(root, 'secret'), path.join(logs, 'gbrowse/gbrowse_slave_link')]);
  const here = (text: string) => text.replaceAll('/var/log', logs);

  test('are shown with their names and last lines, and no link is followed', () => {
    const shown = execFileSync('sh', ['-c', here(logScript(2, false))], { encoding: 'utf8' });
    assert.match(shown, /cloud-init-output\.log <==\nfirst\nlast\n\n==> .*gbrowse_slave <==\ntwo\nthree\n$/);
    assert.ok(!shown.includes('secret'));
  });

  test('are followed until the input ends', () => {
    const shown = execFileSync('sh', ['-c', here(logScript(1, true))], { encoding: 'utf8', input: '' });
    assert.ok(!shown.includes('secret'));
  });

  test('may be missing, and pass through the quotes of another shell', () => {
    const command = logCommand(3, false)
      .replaceAll('/var/log', `${root}/none`)
      .replaceAll('sudo -n true', 'false');
    const shown = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
    assert.equal(shown, 'There are no logs yet.\n');
  });
});
