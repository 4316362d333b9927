import './enter.ts';
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { userData } from '../../src/spot/user-data.ts';
import { until } from '../e2e/world.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { base64, booted, launch } from './instances.ts';
import { createSyncMaster, type SyncMaster, syncMissing } from './sync-world.ts';

const missing = [
  ['mariadb-server', '/usr/sbin/mariadbd'],
  ['postgresql', '/usr/bin/pg_ctlcluster'],
].flatMap(([name = '', file = '']) => (existsSync(file) ? [] : [name]));
const skip = syncMissing() || (missing.length > 0 && `not installed: ${missing.join(' ')}`);

const MYSQL = '/var/lib/mysql';
const POSTGRES = '/var/lib/postgresql';

/** Somebody who inserts rows, one after another, for ever. Each is committed before its number is noted. */
function insertFor(statement: (row: number) => readonly [string, ...string[]]) {
  let row = 0;
  let stopped = false;
  const run = promisify(execFile);
  const ended = (async () => {
    while (!stopped) {
      const [command, ...args] = statement(row + 1);
      await run(command, args).then(
        () => {
          row += 1;
        },
        // The server is away for a moment. A row whose answer was lost is there already.
        () => sleep(50),
      );
    }
  })();
  return {
    committed: () => row,
    async stop() {
      stopped = true;
      await ended;
    },
  };
}

const mariadb = (statement: string) => ['mariadb', '-uroot', '-N', '-e', statement] as const;
const psql = (statement: string) =>
  ['runuser', '-u', 'postgres', '--', 'psql', '-qAtX', '-d', 'postgres', '-c', statement] as const;
function ask([command, ...args]: readonly [string, ...string[]]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
const insertRow = (row: number) =>
  mariadb(
    `INSERT IGNORE INTO test.inno VALUES (${row}, REPEAT('x', 2000)); INSERT INTO test.isam VALUES (${row}, REPEAT('y', 500))`,
  );
const insertRowPg = (row: number) =>
  psql(`INSERT INTO feature VALUES (${row}, repeat('z', 2000)) ON CONFLICT DO NOTHING`);

describe('sync of databases', { skip }, () => {
  let cloud: Cloud;
  let master: SyncMaster;
  let directory: string;
  const more: SyncMaster[] = [];
  before(async () => {
    cloud = await startCloud();
    master = createSyncMaster(cloud, 'master');
    writeFileSync(path.join(master.databases, 'volvox.gff3'), '##gff-version 3\n');
    directory = mkdtempSync(path.join(tmpdir(), 'sync-databases-'));
    // This machine's own servers have nothing to do with it: their directories are others in here.
    for (const place of [MYSQL, POSTGRES]) {
      const own = path.join(directory, path.basename(place));
      execFileSync('cp', ['-a', place, own]);
      execFileSync('mount', ['--bind', own, place]);
    }
    for (const place of ['/run/mysqld', '/run/postgresql']) {
      mkdirSync(place, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', place]);
    }
    execFileSync('/etc/init.d/mariadb', ['start'], { stdio: 'ignore' });
    execFileSync('pg_ctlcluster', ['15', 'main', 'start'], { stdio: 'ignore' });
    await until('MariaDB answers', () => spawnSync('mariadb', ['-uroot', '-e', 'SELECT 1']).status === 0);
    ask(
      mariadb(
        'CREATE DATABASE test; CREATE TABLE test.inno (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB; CREATE TABLE test.isam (id INT, v TEXT) ENGINE=MyISAM',
      ),
    );
    ask(psql('CREATE TABLE feature (id INT PRIMARY KEY, v TEXT)'));
  });
  after(async () => {
    for (const it of [master, ...more]) it?.remove();
    await cloud?.stop();
    // The servers end with the namespace; what they had is ours.
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  async function startSlave(): Promise<string> {
    const instance = await launch(cloud, {
      UserData: base64(userData({ ports: [], orphanTimeout: 3_600_000 })),
      BlockDeviceMappings: master.snapshots().map(snapshot => ({
        DeviceName: '/dev/sdg',
        Ebs: { SnapshotId: snapshot, DeleteOnTermination: true },
      })),
    });
    await booted(cloud, instance);
    return instance;
  }

  test('what was committed before the last pass is served by a slave, though rows came in all the time', async t => {
    const writers = [insertFor(insertRow), insertFor(insertRowPg)] as const;
    await until('there are rows', () => writers.every(it => it.committed() > 20));
    const running = master.start('sync', '--mysql', MYSQL, '--postgres', POSTGRES);
    await until('MariaDB is stopped', () => /MariaDB .* is stopped for the last pass/.test(running.stdout()));
    const inMariadb = writers[0].committed();
    await until('PostgreSQL is copied', () => /PostgreSQL .* goes into backup mode/.test(running.stdout()));
    const inPostgres = writers[1].committed();
    const status = await running.ended(300_000);
    const afterwards = writers[1].committed();
    await Promise.all(writers.map(it => it.stop()));
    t.diagnostic(running.stdout());
    assert.equal(status, 0, running.stdout() + running.stderr());
    assert.match(running.stdout(), /MariaDB of \/var\/lib\/mysql was stopped for \d+(\.\d)? s/);
    assert.match(
      running.stdout(),
      /PostgreSQL of \/var\/lib\/postgresql\/15\/main was in backup mode for \d+(\.\d)? s, and kept serving/,
    );
    assert.ok(afterwards > inPostgres, 'PostgreSQL served all the time');
    assert.deepEqual(ask(psql('SELECT count(*) FROM pg_replication_slots')), '0');

    const slave = await startSlave();
    const rows = (text: string) => text.trim().split(/\s+/).map(Number);
    const [count = 0, last = 0] = rows(
      await cloud.run(slave, 'mariadb -uroot -N -e "SELECT COUNT(*), MAX(id) FROM test.inno"'),
    );
    assert.ok(last >= inMariadb, `${last} of ${inMariadb} rows`);
    assert.equal(count, last, 'no row is missing between');
    const [isam = 0] = rows(
      await cloud.run(slave, 'mariadb -uroot -N -e "SELECT COUNT(DISTINCT id) FROM test.isam"'),
    );
    assert.ok(isam >= inMariadb, `${isam} of ${inMariadb} rows`);
    const check = await cloud.run(slave, 'mariadb-check -uroot --check --extended test');
    assert.deepEqual(
      check
        .trim()
        .split('\n')
        .map(line => line.split(/\s+/)[1]),
      ['OK', 'OK'],
    );

    const ask15 = "runuser -u postgres -- psql -qAtX -F ' ' -d postgres -c";
    const [pgCount = 0, pgLast = 0] = rows(
      await cloud.run(slave, `${ask15} "SELECT count(*), max(id) FROM feature"`),
    );
    assert.ok(pgLast >= inPostgres, `${pgLast} of ${inPostgres} rows`);
    assert.equal(pgCount, pgLast);
    await cloud.run(slave, `${ask15} 'CREATE EXTENSION amcheck'`);
    await cloud.run(slave, `${ask15} "SELECT bt_index_parent_check('feature_pkey', true)"`);
    await cloud.run(slave, `${ask15} 'SELECT pg_relation_size(oid) FROM pg_class; REINDEX TABLE feature'`);
  });

  test('a server is let go when the connection breaks, and held again later', async () => {
    const running = master.start('sync', '--mysql', MYSQL);
    const instance = await until('there is a staging instance', async () => {
      const [found] = (await master.account.state()).instances;
      return found?.state === 'running' && found.id;
    });
    await until('MariaDB is stopped', () => /is stopped for the last pass/.test(running.stdout()));
    await cloud.network(instance, 'dark');
    await until('MariaDB is gone', () => spawnSync('mariadb', ['-uroot', '-e', 'SELECT 1']).status !== 0);
    execFileSync('pkill', ['-KILL', '-f', '^/usr/bin/ssh .*/gbrowse-sync-.*-M -N']);
    await until('it serves again', () =>
      /the server is running again until the next attempt/.test(running.stdout()),
    );
    assert.equal(ask(mariadb('SELECT 1')), '1');
    await cloud.network(instance, 'up');
    assert.equal(await running.ended(300_000), 0, running.stdout() + running.stderr());
    assert.equal(running.stdout().match(/MariaDB .* was stopped for/g)?.length, 2);
    assert.equal(ask(mariadb('SELECT 1')), '1');
  });

  test('tables without a log are copied too: PostgreSQL is stopped for them', async () => {
    ask(psql('CREATE UNLOGGED TABLE scratch AS SELECT generate_series(1, 1000) AS id'));
    const { status, output } = await master.run('sync', '--postgres', POSTGRES);
    assert.equal(status, 0, output);
    assert.match(output, /PostgreSQL .* is stopped for the last pass \(pg_ctlcluster 15 main stop -m fast\)/);
    assert.equal(ask(psql('SELECT count(*) FROM scratch')), '1000');
    const slave = await startSlave();
    const found = await cloud.run(
      slave,
      "runuser -u postgres -- psql -qAtX -d postgres -c 'SELECT count(*) FROM scratch'",
    );
    assert.equal(found.trim(), '1000');
    // Not named this time, and there all the same.
    assert.match(await cloud.run(slave, 'mariadb -uroot -N -e "SELECT COUNT(*) > 0 FROM test.inno"'), /1/);
  });

  describe('a sync that is killed while a server is stopped', () => {
    let server: ChildProcess;
    let data: string;
    let socket: string;
    before(async () => {
      data = path.join(directory, 'own');
      socket = path.join(directory, 'own.sock');
      execFileSync('chmod', ['755', directory]);
      execFileSync('mariadb-install-db', ['--no-defaults', '--user=mysql', `--datadir=${data}`], {
        stdio: 'ignore',
      });
      const options = [
        '--no-defaults',
        '--user=mysql',
        '--skip-networking',
        `--datadir=${data}`,
        `--socket=/run/mysqld/own.sock`,
      ];
      server = spawn('/usr/sbin/mariadbd', options, { stdio: 'ignore', detached: true });
      socket = '/run/mysqld/own.sock';
      await until('it answers', () => answers());
    });
    const answers = () => spawnSync('mariadb', ['-uroot', '-S', socket, '-e', 'SELECT 1']).status === 0;

    test('has it started again, with its own command line and user', async () => {
      const own = createSyncMaster(cloud, 'killed');
      more.push(own);
      const running = own.start('sync', '--mysql', data);
      await until('it is stopped', () =>
        /is stopped for the last pass \(its own command line/.test(running.stdout()),
      );
      const [instance] = (await own.account.state()).instances;
      await cloud.network(instance?.id ?? '', 'dark');
      // A server that was not told to stop yet would go on.
      await until(
        'the first process has ended',
        () => server.exitCode !== null || server.signalCode !== null,
      );
      running.signal('SIGKILL');
      assert.equal(await running.ended(), 'SIGKILL');
      await until('it answers again', () => answers());
      const { stdout } = spawnSync('ps', ['-C', 'mariadbd', '-o', 'user=,args='], { encoding: 'utf8' });
      assert.match(
        stdout,
        new RegExp(`^mysql +/usr/sbin/mariadbd --no-defaults --user=mysql .*--datadir=${data}`, 'm'),
      );
    });
  });
});
