import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProcess } from '../../src/os/process.ts';
import {
  ask,
  asRoot,
  BALANCER,
  childrenOf,
  directory,
  everythingVisible,
  put,
  start,
  until,
} from './fixtures/run.ts';

const OPTION_SECRET = 'wJalrXUtnFEMI+from-an-option';
const VARIABLE_SECRET = 'bPxRfiCYEX+from-a-variable';

function world(t: TestContext): { name: string; here: string; args: string[] } {
  const here = directory(t);
  writeFileSync(
    path.join(here, 'conf'),
    JSON.stringify({ renderfarmConf: path.join(here, 'farm'), reloadCommand: 'env' }),
  );
  const name = `test:background:${path.basename(here)}`;
  return {
    name,
    here,
    args: [name, '--conf', 'conf', '--pidfile', 'pid', '--logfile', 'log', '--background'],
  };
}

function pidOf(text: string): number {
  return Number(/running as process (\d+)/.exec(text)?.[1]);
}

test('the command returns when the daemon is up, which then belongs to no terminal', async t => {
  const { name, here, args } = world(t);
  const command = start(t, BALANCER, args, { cwd: here });
  assert.equal(await command.ended, 0);
  const pid = pidOf(command.stderr());
  await put(t, pid);
  assert.equal(readFileSync(path.join(here, 'pid'), 'utf8'), `${pid}\n`);
  assert.partialDeepStrictEqual((await ask(name, { do: 'state' })).value, { pid, cwd: '/' });
  // proc(5): state, parent, group, session, terminal
  const [, , group, session, terminal] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  assert.deepEqual([group, session, terminal], [String(pid), String(pid), '0']);
  for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
  process.kill(pid, 'SIGTERM');
  await until(() => findProcess(pid) === undefined);
  assert.ok(!existsSync(path.join(here, 'pid')));
});

test('a start that fails tells why, with its exit status, and leaves nothing', async t => {
  const { here, args } = world(t);
  const failed = start(t, BALANCER, [...args, '--fail'], { cwd: here });
  assert.equal(await failed.ended, 1);
  assert.equal(failed.stderr(), 'There are no credentials. Give --access_key and --secret_key.\n');
  assert.ok(!existsSync(path.join(here, 'pid')));

  writeFileSync(path.join(here, 'conf'), 'junk');
  const wrong = start(t, BALANCER, args, { cwd: here });
  assert.equal(await wrong.ended, 2);
  assert.match(wrong.stderr(), /conf:1: no configuration/);
});

test('a bug in the start is shown at the terminal', async t => {
  const { here, args } = world(t);
  const crashed = start(t, BALANCER, [...args, '--crash'], { cwd: here });
  assert.notEqual(await crashed.ended, 0);
  assert.match(crashed.stderr(), /SyntaxError: .*a bug/);
});

test('a second one with the same pidfile or the same name refuses', async t => {
  const { name, here, args } = world(t);
  const first = start(t, BALANCER, args, { cwd: here });
  assert.equal(await first.ended, 0);
  const pid = pidOf(first.stderr());
  await put(t, pid);
  const same = start(t, BALANCER, [`${name}:2`, ...args.slice(1)], { cwd: here });
  assert.equal(await same.ended, 1);
  assert.match(
    same.stderr(),
    new RegExp(`another gbrowse-aws-balancer \\(process ${pid}\\) is running with the pidfile`),
  );
  const sameName = start(t, BALANCER, [...args, '--pidfile', 'pid2'], { cwd: here });
  assert.equal(await sameName.ended, 1);
  assert.match(sameName.stderr(), /is running already/);
});

test('no process shows a secret, neither in its command line nor in its environment', asRoot, async t => {
  const { name, here, args } = world(t);
  const env = { AWS_SECRET_ACCESS_KEY: VARIABLE_SECRET };
  const words = [...args, '--user', 'www-data', '--secret_key', OPTION_SECRET];
  const command = start(t, BALANCER, words, { cwd: here, env });
  assert.equal(await command.ended, 0);
  const pid = pidOf(command.stderr());
  await put(t, pid);
  assert.equal(childrenOf(pid).length, 1);
  const visible = everythingVisible(process.pid);
  assert.ok(visible.includes(name), 'the daemon itself is seen');
  for (const secret of [OPTION_SECRET, VARIABLE_SECRET]) assert.ok(!visible.includes(secret), secret);
  // The SDK finds its variable; a reload command does not.
  assert.partialDeepStrictEqual((await ask(name, { do: 'state' })).value, { key: VARIABLE_SECRET });
  assert.doesNotMatch(JSON.stringify(await ask(name, { do: 'reload' })), /from-a-variable/);
  assert.match(readFileSync(path.join(here, 'log'), 'utf8'), /The secret is \*\*\*/);
});

test('the daemon keeps nothing open that the shell of the caller had open', async t => {
  const { here, args } = world(t);
  const fd = openSync(path.join(here, 'lock'), 'w');
  const high = Array.from({ length: 60 }, () => 'ignore' as const);
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const command = spawn(process.execPath, [BALANCER, ...args], {
    cwd: here,
    env,
    stdio: ['ignore', 'ignore', 'pipe', ...high, fd],
  });
  closeSync(fd);
  let text = '';
  command.stderr?.setEncoding('utf8').on('data', more => {
    text += more;
  });
  await once(command, 'close');
  const pid = pidOf(text);
  await put(t, pid);
  const { stdout } = spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' });
  assert.match(stdout, /socket/);
  assert.ok(!stdout.includes(path.join(here, 'lock')), stdout);
});
