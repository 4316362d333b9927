import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, follow, PROGRAM, SECRET, until } from './world.ts';

const SCRIPT = '/usr/bin/script';
const skip = existsSync(SCRIPT) ? ec2Missing() : `${SCRIPT} is not installed`;

let ec2: Ec2StandIn;
let apache: ModStatus;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

test('at a terminal: it asks for the keys, hides the secret one, writes coloured lines, and Ctrl-C ends it', {
  skip,
}, async t => {
  const master = createMaster(t, { ec2, name: 'terminal', statusUrl: apache.url });
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
  const child = spawn(SCRIPT, ['-qefc', `exec ${PROGRAM} --conf ${master.confFile}`, '/dev/null'], {
    env: { ...environment, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  const terminal = follow(child);
  const shows = (text: string) =>
    until(`the terminal shows "${text}"`, () => terminal.stdout().includes(text));

  await shows('Enter your EC2 access key: ');
  child.stdin.write(`${master.account.accessKey}\r`);
  await shows('Enter your EC2 secret key: ');
  child.stdin.write(`${SECRET}\r`);
  await shows('watching');
  await master.serving(2);
  child.stdin.write('\x03');
  assert.equal(await terminal.ended(), 0);
  assert.ok(terminal.stdout().includes('\u001b[36minfo \u001b[0m gbrowse-aws-balancer'), 'colours');
  assert.ok(!terminal.stdout().includes(SECRET));
  assert.ok(!terminal.stdout().includes(SECRET.slice(0, 12)));
  assert.deepEqual(await master.account.remains(), []);
});

test('at a terminal: ssh asks which slave is meant, and an end of the input chooses none', {
  skip,
}, async t => {
  const master = createMaster(t, { ec2, name: 'which one', statusUrl: apache.url });
  const balancer = master.start();
  await master.serving(2);
  const child = spawn(SCRIPT, ['-qefc', `exec ${PROGRAM} ssh --conf ${master.confFile}`, '/dev/null'], {
    env: { ...master.environment, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  const terminal = follow(child);
  await until('it asks', () => terminal.stdout().includes('Which slave? [1-2]'));
  child.stdin.write('\x04');
  assert.equal(await terminal.ended(), 1);
  assert.match(terminal.stdout(), /no answer was given/);
  assert.doesNotMatch(terminal.stdout(), /credentials/);
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
});
