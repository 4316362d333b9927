import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { freePort } from '../peers/free-port.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, SECRET, until } from './world.ts';

const missing = ec2Missing();
const skip = process.getuid?.() === 0 ? missing : 'only root can become another user';
const WWW_DATA = 33;

describe('a balancer in the background', { concurrency: true, skip: missing }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  function daemon(master: Master) {
    const file = (name: string) => path.join(master.directory, name);
    const [pidfile, logfile] = [file('pid'), file('log')];
    return {
      pidfile,
      logfile,
      start: (...words: readonly string[]) =>
        master.start('--background', '--pidfile', pidfile, '--logfile', logfile, ...words),
      kill: () => master.run(['--kill', '--pidfile', pidfile]),
      pid: () => Number(readFileSync(pidfile, 'utf8')),
      logged: (pattern: RegExp) =>
        until(
          `the log has ${pattern}`,
          () => existsSync(logfile) && pattern.test(readFileSync(logfile, 'utf8')),
        ),
    };
  }

  test('as www-data: the farm file of root is kept up to date, and --kill leaves nothing', {
    skip,
  }, async t => {
    const master = createMaster(t, { ec2, name: 'daemon', statusUrl: apache.url });
    const { start, kill, pid, logged, logfile, pidfile } = daemon(master);
    chmodSync(master.farmFile, 0o640);
    const before = statSync(master.farmFile);
    const parent = start('--user', 'www-data');
    assert.equal(await parent.ended(), 0);
    assert.equal(parent.stderr() + parent.stdout(), '');
    assert.match(readFileSync(pidfile, 'utf8'), /^\d+\n$/);
    assert.equal(statSync(logfile).uid, WWW_DATA);
    const status = readFileSync(`/proc/${pid()}/status`, 'utf8');
    assert.match(status, /^Uid:\t33\t33\t33\t33$/m);
    assert.match(status, /^Gid:\t33\t33\t33\t33$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    await master.serving(2);
    const { uid, gid, mode } = statSync(master.farmFile);
    assert.deepEqual({ uid, gid, mode }, { uid: before.uid, gid: before.gid, mode: before.mode });
    await logged(/farm: http/);

    const killer = kill();
    assert.equal(await killer.ended(), 0);
    await logged(/stopped: no slave is left/);
    assert.deepEqual(master.farm(), []);
    assert.deepEqual(await master.account.remains(), []);
    assert.ok(!existsSync(pidfile));
    assert.deepEqual(master.processes(), []);
  });

  test("the manual's commands, word for word: to the background, and its end", { skip }, async t => {
    const master = createMaster(t, { ec2, name: 'manual', statusUrl: apache.url });
    const { logfile, pidfile, logged } = daemon(master);
    const words = [
      ...['--conf', master.confFile, '--access_key', master.account.accessKey, '--secret_key', SECRET],
      ...['--logfile', logfile, '--pidfile', pidfile, '--user', 'nobody'],
    ];
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
    assert.equal(await master.run(['--background', ...words], environment).ended(), 0);
    await master.serving(2);
    assert.equal(await master.run(['--kill', ...words], environment).ended(), 0);
    await logged(/stopped: no slave is left/);
    assert.deepEqual(master.farm(), []);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('SIGHUP: a good file is taken, a bad one refused, the log goes on in a new file', {
    skip,
  }, async t => {
    const master = createMaster(t, { ec2, name: 'sighup', statusUrl: apache.url });
    const { start, kill, pid, logged, logfile } = daemon(master);
    assert.equal(await start('--user', 'www-data').ended(), 0);
    await master.serving(2);

    const good = readFileSync(master.confFile, 'utf8');
    writeFileSync(master.confFile, good.replace('1       1   2', '1 one two'));
    renameSync(logfile, `${logfile}.1`);
    process.kill(pid(), 'SIGHUP');
    await logged(/ERROR the configuration was not changed: .*aws_balancer\.conf:\d+: .*expected/);
    assert.equal(master.farm().length, 2);

    writeFileSync(master.confFile, good.replace('5       2   3', '5       3   3'));
    process.kill(pid(), 'SIGHUP');
    await logged(/configuration read again from/);
    await master.serving(3);
    assert.equal(statSync(logfile).uid, WWW_DATA);
    assert.equal(await kill().ended(), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('new data snapshots in the file: slaves are replaced without a signal, and the farm never is empty', {
    skip,
  }, async t => {
    const master = createMaster(t, { ec2, name: 'renewal', statusUrl: apache.url });
    const { start, kill, logged, logfile } = daemon(master);
    assert.equal(await start('--user', 'www-data').ended(), 0);
    const before = await master.serving(2);
    const from = master.history().findLastIndex(it => it.slaves.length === 2);

    writeFileSync(master.confFile, `${readFileSync(master.confFile, 'utf8')}\nspot_bid = much\n`);
    await logged(/ERROR the configuration was not changed: .*aws_balancer\.conf:\d+: .*expected/);
    const [snapshot] = (await ec2.state()).snapshots;
    assert.ok(snapshot);
    const text = readFileSync(master.confFile, 'utf8').replace('\nspot_bid = much\n', '');
    writeFileSync(
      `${master.confFile}.new`,
      text.replace(/^data_snapshots.*$/m, `data_snapshots = ${snapshot.id}`),
    );
    renameSync(`${master.confFile}.new`, master.confFile);
    await logged(/aws_balancer\.conf has been changed: configuration read again/);
    await logged(/all slaves are replaced: every slave has the current data and image/);
    const { instances } = await master.account.state();
    const serving = instances.filter(it => master.farm().includes(`http://${it.address}:8101`));
    assert.equal(serving.length, 2);
    for (const slave of serving) {
      assert.equal(slave.tags['gbrowse-aws-balancer:data'], snapshot.id);
      assert.ok(!before.some(it => it.id === slave.id));
    }
    for (const { slaves } of master.history().slice(from)) assert.ok(slaves.length >= 2, `${slaves}`);
    assert.equal(readFileSync(logfile, 'utf8').match(/the configuration was not changed/g)?.length, 1);
    assert.equal(await kill().ended(), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('a second one refuses to start: with the same pidfile, with the same master name', async t => {
    const master = createMaster(t, { ec2, name: 'second', statusUrl: apache.url });
    const { start, kill, pid, pidfile } = daemon(master);
    assert.equal(await start().ended(), 0);
    const owner = pid();

    const same = start();
    assert.equal(await same.ended(), 1);
    assert.match(
      same.stderr(),
      new RegExp(`another gbrowse-aws-balancer \\(process ${owner}\\) is running with the pidfile`),
    );
    const namesake = master.start('--background', '--pidfile', `${pidfile}2`);
    assert.equal(await namesake.ended(), 1);
    assert.match(
      namesake.stderr(),
      /another gbrowse-aws-balancer \(process .*\) is running .* for the master "second"/,
    );

    assert.equal(pid(), owner);
    assert.ok(!existsSync(`${pidfile}2`));
    assert.equal(await kill().ended(), 0);
    assert.deepEqual(master.processes(), []);
  });

  test('after kill -9 its stale pidfile is no obstacle, and --kill says that it is stale', async t => {
    const master = createMaster(t, { ec2, name: 'stale', statusUrl: apache.url });
    const { start, kill, pid } = daemon(master);
    assert.equal(await start().ended(), 0);
    const victim = pid();
    process.kill(victim, 'SIGKILL');
    await until('it is gone', () => !master.processes().includes(victim));
    const killer = kill();
    assert.equal(await killer.ended(), 1);
    assert.match(killer.stderr(), /is stale: process \d+ is not running/);
    assert.equal(await start().ended(), 0);
    assert.notEqual(pid(), victim);
    assert.equal(await kill().ended(), 0);
  });

  test('Apache does not answer: the balancer starts anyway, and the log says why the load is unknown', async t => {
    const master = createMaster(t, {
      ec2,
      name: 'early',
      statusUrl: `http://127.0.0.1:${await freePort()}/server-status`,
    });
    const { start, kill, logged } = daemon(master);
    assert.equal(await start().ended(), 0);
    await logged(/WARN .*the load cannot be read.*connection refused/);
    assert.equal(await kill().ended(), 0);
  });

  test('without --logfile it warns once that its messages go nowhere', async t => {
    const master = createMaster(t, { ec2, name: 'silent', statusUrl: apache.url });
    const pidfile = path.join(master.directory, 'pid');
    const parent = master.start('--background', '--pidfile', pidfile);
    assert.equal(await parent.ended(), 0);
    assert.match(parent.stderr(), /^warning: .*--logfile.*\n$/);
    assert.equal(await master.run(['--kill', '--pidfile', pidfile]).ended(), 0);
  });

  test('a farm file that somebody overwrites is made true again', async t => {
    const master = createMaster(t, { ec2, name: 'overwritten', statusUrl: apache.url });
    const { start, kill } = daemon(master);
    assert.equal(await start().ended(), 0);
    await master.serving(2);
    writeFileSync(master.farmFile, '[GENERAL]\nrenderfarm = 0\nremote renderer =\n');
    await master.serving(2);
    assert.equal(await kill().ended(), 0);
    assert.deepEqual(master.farm(), []);
  });
});
