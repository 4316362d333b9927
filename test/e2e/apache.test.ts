import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Apache, apacheMissing, startApache } from '../peers/apache.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { createVisitors } from '../peers/visitors.ts';
import { createMaster, until } from './world.ts';

const skip = apacheMissing() || ec2Missing();

let ec2: Ec2StandIn;
let apache: Apache;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startApache()]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

const TROUBLES = [
  [
    'ExtendedStatus On',
    'ExtendedStatus Off',
    /ExtendedStatus is Off\. .*outside of any <VirtualHost>.*\n.*ExtendedStatus On\n/,
  ],
  ['Require local', 'Require all denied', /403 Forbidden.*"Require local"/],
  ['<Location "/server-status">', '<Location "/status">', /404 Not Found.*a2enmod status/],
] as const;

test('Apache does not tell its load: the log says what to change, the farm stays, and goes on afterwards', {
  skip,
}, async t => {
  const master = createMaster(t, { ec2, name: 'apache', statusUrl: apache.statusUrl });
  const confFile = path.join(apache.directory, 'apache2.conf');
  const conf = readFileSync(confFile, 'utf8');
  const visitors = createVisitors(`${apache.origin}/`);
  t.after(() => visitors.stop());
  visitors.come(9);
  const balancer = master.start();
  await master.serving(2);
  const { length } = master.history();

  let recovered = 0;
  async function recovers(): Promise<void> {
    recovered += 1;
    const times = () => balancer.stderr().split('the load can be read again').length - 1;
    await until('the load is read again', () => times() === recovered);
  }

  for (const [line, wrong, advice] of TROUBLES) {
    writeFileSync(confFile, conf.replace(line, wrong));
    await apache.graceful();
    await balancer.said(advice);
    writeFileSync(confFile, conf);
    await apache.graceful();
    await recovers();
  }

  // Stopped, and after a while started again.
  process.kill(apache.pid, 'SIGTERM');
  await balancer.said(/connection refused: nothing listens there\. Is Apache running/);
  const again = spawn('/usr/sbin/apache2', ['-d', apache.directory, '-f', confFile, '-DFOREGROUND'], {
    stdio: 'ignore',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  t.after(() => again.kill('SIGKILL'));
  await recovers();

  assert.equal(master.history().length, length, 'the farm has not changed');
  assert.equal((await master.account.calls('CreateFleet')).length, 1);
  assert.equal(balancer.stderr().match(/the load cannot be read, so the farm stays as it is/g)?.length, 4);
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
  assert.deepEqual(await master.account.remains(), []);
  const ended = once(again, 'exit');
  again.kill('SIGTERM');
  await ended;
});
