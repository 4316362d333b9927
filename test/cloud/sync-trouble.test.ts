import './enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { userData } from '../../src/spot/user-data.ts';
import { until } from '../e2e/world.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { base64, booted, launch } from './instances.ts';
import {
  createSyncMaster,
  describeTree,
  firstDifference,
  onMaster,
  type SyncMaster,
  syncMissing,
} from './sync-world.ts';

const MIB = 1024 ** 2;

describe('sync in trouble', { skip: syncMissing() }, () => {
  let cloud: Cloud;
  const masters: SyncMaster[] = [];
  before(async () => {
    cloud = await startCloud();
  });
  after(async () => {
    for (const master of masters) master.remove();
    await cloud?.stop();
  });

  /** A master with a small directory. */
  function createMaster(name: string): SyncMaster {
    const master = createSyncMaster(cloud, name);
    masters.push(master);
    writeFileSync(path.join(master.databases, 'volvox.gff3'), '##gff-version 3\n');
    return master;
  }

  async function slaveOf(master: SyncMaster): Promise<string> {
    const instance = await launch(cloud, {
      UserData: base64(userData({ ports: [], orphanTimeout: 3_600_000 })),
      BlockDeviceMappings: master.snapshots().map((snapshot, at) => ({
        DeviceName: `/dev/sd${'gh'[at]}`,
        Ebs: { SnapshotId: snapshot, DeleteOnTermination: true },
      })),
    });
    await booted(cloud, instance);
    return instance;
  }

  async function assertSlaveHasAll(master: SyncMaster): Promise<void> {
    const expected = onMaster(describeTree(master.databases));
    const instance = await slaveOf(master);
    await cloud.run(instance, `(${describeTree(master.databases)}) > /root/found`);
    const { pid } = await cloud.host(instance);
    const found = readFileSync(`/proc/${pid}/root/root/found`, 'latin1');
    assert.equal(firstDifference(expected, found), undefined);
  }

  async function stagingOf(master: SyncMaster): Promise<string> {
    return await until(`${master.account.master} has a staging instance`, async () => {
      const [instance] = (await master.account.state()).instances;
      return instance?.state === 'running' && instance.id;
    });
  }

  test('a link that is cut is made again, and a volume that becomes too small is made larger', async () => {
    const master = createMaster('cut');
    const big = path.join(master.directory, 'big');
    execFileSync('sh', ['-c', `head -c ${1100 * MIB} /dev/urandom > '${big}'`]);
    const running = master.start('sync');
    // After the plan, so that nobody can know.
    await until('it is planned', () => /^Launching/m.test(running.stdout()));
    renameSync(big, path.join(master.databases, 'big'));
    const instance = await stagingOf(master);
    await until('it copies', () => /^Copying/m.test(running.stdout()));
    await cloud.network(instance, 'dark');
    await cloud.run(instance, 'pkill -KILL -f "[s]shd: admin"');
    await cloud.network(instance, 'up');
    assert.equal(await running.ended(300_000), 0, running.stdout() + running.stderr());
    assert.match(running.stdout(), /warning: the connection to the staging instance broke/);
    assert.match(running.stdout(), /making vol-\w+ larger: 1 GiB to 2 GiB/);
    assert.deepEqual(await master.account.remains(), []);
    await assertSlaveHasAll(master);
  });

  test('blocks that change in a large file are written in place; a hole that appears is one', async () => {
    const master = createMaster('blocks');
    const file = path.join(master.databases, 'track.bw');
    execFileSync('sh', ['-c', `head -c ${64 * MIB} /dev/urandom > '${file}'`]);
    assert.equal((await master.run('sync')).status, 0);
    const handle = openSync(file, 'r+');
    writeSync(handle, 'changed', 10 * MIB);
    writeSync(handle, Buffer.alloc(8 * MIB), 0, 8 * MIB, 20 * MIB);
    ftruncateSync(handle, 60 * MIB);
    ftruncateSync(handle, 70 * MIB);
    closeSync(handle);
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    await assertSlaveHasAll(master);
  });

  test('the newest sets stay, and what a configuration names; an old one that it names is no base', async () => {
    const master = createMaster('keep');
    const made: (readonly string[])[] = [];
    for (const keep of ['3', '3', '1']) {
      assert.equal((await master.run('sync', '--keep', keep)).status, 0);
      made.push(master.snapshots());
    }
    const left = (await master.account.state()).snapshots.map(it => it.id);
    // The last but one is named in the .bak file.
    assert.deepEqual(left.toSorted(), [made[1], made[2]].flat().toSorted());
  });

  test('a snapshot of the configuration that is gone is no obstacle', async () => {
    const master = createMaster('gone');
    writeFileSync(
      master.confFile,
      master.conf().replace(/data_snapshots = +#/, 'data_snapshots = snap-0123456789abcdef0 #'),
      'latin1',
    );
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    assert.match(output, /a new volume of 1 GiB/);
  });

  test('several data snapshots are all used, and all replaced; a file system that is too small grows', async () => {
    const master = createMaster('several');
    assert.equal((await master.run('sync')).status, 0);
    const [own = ''] = master.snapshots();
    // Somebody else's: XFS, smaller than its volume.
    const image = path.join(master.directory, 'xfs');
    execFileSync('truncate', ['-s', `${350 * MIB}`, image]);
    execFileSync('mkfs.xfs', ['-q', image]);
    const other = await cloud.importSnapshot(image, 1);
    writeFileSync(
      master.confFile,
      master.conf().replace(/data_snapshots = .*? *#/, `data_snapshots = ${other} ${own} #`),
      'latin1',
    );
    const before = master.snapshots();
    writeFileSync(path.join(master.databases, 'new.gff3'), 'new');
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    const after = master.snapshots();
    assert.equal(after.length, 2);
    assert.ok(after.every(it => !before.includes(it)));
    await assertSlaveHasAll(master);
    const instance = await slaveOf(master);
    const sizes = await cloud.run(
      instance,
      "df -Pk -t xfs -t ext4 | awk '/gbrowse-data/ { print ($2 > 900000) }' | sort -u",
    );
    assert.equal(sizes, '1\n');
  });

  test('a second sync of the same master says who runs, and stops', async () => {
    const master = createMaster('twice');
    await master.account.fault({ action: 'RunInstances', delay: 4 });
    const first = master.start('sync');
    await until('it launches', () => /^Launching/m.test(first.stdout()));
    const second = await master.run('sync');
    assert.equal(second.status, 1);
    assert.match(
      second.output,
      new RegExp(
        `"sync" or "image" is running already for the master "twice" \\(sync, process ${first.pid}, since \\d{4}-.* UTC\\)`,
      ),
    );
    assert.equal(await first.ended(), 0);
  });

  test('a configuration that somebody changes meanwhile is left as it is', async () => {
    const master = createMaster('edited');
    await master.account.fault({ action: 'CreateSnapshots', delay: 3 });
    const running = master.start('sync');
    await until('it takes the snapshot', () => /^Taking/m.test(running.stdout()));
    const edited = master.conf().replace('GBrowse-2.54', 'GBrowse-2.60');
    writeFileSync(master.confFile, edited, 'latin1');
    assert.equal(await running.ended(), 1);
    assert.match(
      running.stderr(),
      /changed meanwhile, so they are left as they are; put this into \[SLAVE\] yourself: data_snapshots = snap-/,
    );
    assert.equal(master.conf(), edited);
  });

  for (const [signal, action] of [
    ['SIGINT', 'RunInstances'],
    ['SIGTERM', 'CreateSnapshots'],
    ['SIGHUP', 'DescribeSnapshots'],
  ] as const) {
    test(`${signal} during ${action}: nothing is left, nothing is changed`, async () => {
      const master = createMaster(signal.toLowerCase());
      const before = master.conf();
      const running = await hangingIn(master, action);
      running.signal(signal);
      assert.equal(await running.ended(), 1);
      assert.match(running.stderr(), new RegExp(`^interrupted \\(${signal}\\)`));
      const { snapshots } = await master.account.state();
      assert.deepEqual([await master.account.remains(), snapshots], [[], []]);
      assert.equal(master.conf(), before);
    });
  }

  /** A sync in the middle of a call that has its effect, and whose answer does not come. */
  async function hangingIn(master: SyncMaster, action: string) {
    const running = master.start('sync');
    // The plan looks for snapshots too.
    if (action.startsWith('Describe')) await until('it copies', () => /^Copying/m.test(running.stdout()));
    await master.account.fault({ action, after: true, hang: 60 });
    await until(`${action} hangs`, async () => (await master.account.faultsLeft()) === 0);
    return running;
  }

  describe('killed with SIGKILL', { concurrency: 3 }, () => {
    const actions = [
      'CreateSecurityGroup',
      'AuthorizeSecurityGroupIngress',
      'RunInstances',
      'DescribeVolumes',
      'CreateSnapshots',
      'TerminateInstances',
      'DescribeSnapshots',
      'DeleteSecurityGroup',
    ];
    for (const [at, action] of actions.entries()) {
      test(`during ${action}: gc removes all but complete snapshots, and the next sync works`, async () => {
        const master = createMaster(`killed${at}`);
        const running = await hangingIn(master, action);
        running.signal('SIGKILL');
        assert.equal(await running.ended(), 'SIGKILL');
        if (at % 2 === 0) {
          const gc = await master.run('gc', '--yes');
          assert.equal(gc.status, 0, gc.output);
          assert.deepEqual(await master.account.remains(), []);
        }
        const next = await master.run('sync');
        assert.equal(next.status, 0, next.output);
        assert.deepEqual(await master.account.remains(), []);
        if (action === 'DeleteSecurityGroup') assert.match(next.output, /which an earlier sync has made/);
      });
    }

    test('in the middle of the copy: the machine powers itself off when nobody comes any more', async () => {
      const master = createMaster('orphan');
      execFileSync('sh', ['-c', `head -c ${200 * MIB} /dev/urandom > '${master.databases}/big'`]);
      const running = master.start('sync');
      await until('it copies', () => /^Copying/m.test(running.stdout()));
      running.signal('SIGKILL');
      assert.equal(await running.ended(), 'SIGKILL');
      const instance = await stagingOf(master);
      // As if an hour had gone by since the last activity.
      await cloud.run(instance, 'echo -3600 > /run/gbrowse-sync.alive');
      await until('the instance is gone', async () => {
        const { instances, volumes } = await master.account.state();
        return instances.length + volumes.length === 0;
      });
    });
  });
});
