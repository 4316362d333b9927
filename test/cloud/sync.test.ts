import './enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { userData } from '../../src/spot/user-data.ts';
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

const GIB = 1024 ** 3;
const SMALL_FILES = 50_000;
const ODD_NAMES = [
  'two words',
  ' blanks around ',
  "it's",
  '"quoted"',
  'back\\slash',
  'new\nline',
  'tab\there',
  '-rf',
  '*?[a]',
  '$(reboot)',
  '`id`',
  'schön.gff',
  '基因組',
  'end.',
  ...['#hash', ':colon', 'a:b', '%41', '~', '!bang', ';semi', '&amp', '(p)', '{b}'],
];

/** A directory as a genome browser has, and everything that a file system can hold. */
function fillDatabases(directory: string): void {
  for (let at = 0; at < SMALL_FILES; at++) {
    if (at % 500 === 0) mkdirSync(path.join(directory, `chromosome ${at / 500}`));
    const file = path.join(directory, `chromosome ${Math.floor(at / 500)}`, `${at}.gff3`);
    writeFileSync(file, `##gff-version 3\nchr1\tsync\tgene\t${at}\t${at + 1000}\t.\t+\t.\tID=gene${at}\n`);
  }
  const sparse = openSync(path.join(directory, 'sparse.bw'), 'w');
  ftruncateSync(sparse, 2 * GIB);
  for (const place of [0, 4096, 700_000_000, 2 * GIB - 6]) writeSync(sparse, 'island', place);
  closeSync(sparse);
  const odd = path.join(directory, 'odd');
  mkdirSync(odd);
  for (const name of ODD_NAMES) writeFileSync(path.join(odd, name), name);
  writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'no UTF-8');
  const links = path.join(directory, 'links');
  mkdirSync(links);
  writeFileSync(path.join(links, 'one'), 'of three names');
  linkSync(path.join(links, 'one'), path.join(links, 'two'));
  linkSync(path.join(links, 'one'), path.join(odd, 'three'));
  symlinkSync('one', path.join(links, 'symbolic'));
  symlinkSync('nowhere at all\n', path.join(links, 'dangling'));
  symlinkSync('../odd', path.join(links, 'to a directory'));
  execFileSync('mkfifo', [path.join(links, 'fifo')]);
  const rights = path.join(directory, 'rights');
  mkdirSync(rights, { mode: 0o2750 });
  writeFileSync(path.join(rights, 'secret'), 'x', { mode: 0o400 });
  writeFileSync(path.join(rights, 'program'), '#!/bin/sh\n', { mode: 0o6755 });
  execFileSync('chown', ['33:4321', path.join(rights, 'secret')]);
  execFileSync('setfacl', ['-m', 'u:33:rw,g:4321:r', path.join(rights, 'secret')]);
  execFileSync('setfacl', ['-d', '-m', 'u:33:rwx', rights]);
  execFileSync('setfattr', ['-n', 'user.source', '-v', 'ensembl', path.join(rights, 'program')]);
  utimesSync(path.join(rights, 'program'), 86_400.125, 86_400.125);
}

describe('sync', { skip: syncMissing() }, () => {
  let cloud: Cloud;
  let master: SyncMaster;
  before(async () => {
    cloud = await startCloud();
    master = createSyncMaster(cloud, 'master');
    fillDatabases(master.databases);
  });
  after(async () => {
    master?.remove();
    await cloud?.stop();
  });

  /** What a slave, launched from the configuration's snapshots, has at a path. */
  async function onSlave<T>(look: (instance: string) => Promise<T>): Promise<T> {
    const instance = await launch(cloud, {
      UserData: base64(userData({ ports: [], orphanTimeout: 3_600_000 })),
      BlockDeviceMappings: master.snapshots().map((snapshot, at) => ({
        DeviceName: `/dev/sd${'gh'[at]}`,
        Ebs: { SnapshotId: snapshot, DeleteOnTermination: true },
      })),
    });
    await booted(cloud, instance);
    return await look(instance);
  }

  async function assertSlaveHasAll(): Promise<void> {
    const expected = onMaster(describeTree(master.databases));
    const found = await onSlave(async instance => {
      await cloud.run(instance, `(${describeTree(master.databases)}) > /root/found`);
      const { pid } = await cloud.host(instance);
      return readFileSync(`/proc/${pid}/root/root/found`, 'latin1');
    });
    assert.equal(firstDifference(expected, found), undefined);
  }

  test('--dry-run says what would be done, and does nothing', async () => {
    const before = master.conf();
    const { status, output } = await master.run('sync', '--dry-run');
    assert.equal(status, 0, output);
    assert.match(output, /databases +2\.0 GiB, 50,\d{3} entries +to databases\//);
    assert.match(output, /a new volume of 1 GiB/);
    assert.match(output, /staging instance m5\.large of ami-\w+ in us-west-2\nCost: \$0\.096 an hour/);
    assert.equal(master.conf(), before);
    assert.deepEqual(
      (await master.account.calls()).filter(it => !it.action.startsWith('Describe')),
      [],
    );
  });

  test('a slave has what the master has: contents, names, owners, rights, times, links, holes', async t => {
    const text = master.conf();
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    const [snapshot = ''] = master.snapshots();
    assert.match(output, new RegExp(`^data stored in snapshot\\(s\\) ${snapshot}$`, 'm'));
    assert.match(
      output,
      new RegExp(`^updated conf file, previous version in ${master.confFile}\\.bak$`, 'm'),
    );
    t.diagnostic(output.slice(output.indexOf('Time taken')));
    assert.equal(
      master.conf(),
      text
        .replace('image_id       = GBrowse-2.54   #', `image_id       = ${cloud.image} #`)
        .replace(/data_snapshots = {16}#/, `data_snapshots = ${snapshot} #`),
    );
    assert.equal(readFileSync(`${master.confFile}.bak`, 'latin1'), text);
    assert.equal(statSync(master.confFile).mode & 0o777, 0o640);
    assert.deepEqual(await master.account.remains(), []);
    await assertSlaveHasAll();
  });

  test('what has changed since is sent, and nothing else', async () => {
    const one = path.join(master.databases, 'chromosome 7');
    appendFileSync(path.join(one, '3500.gff3'), 'chr1\tsync\tgene\t1\t2\t.\t+\t.\tID=new\n');
    // Neither time nor size tell that this one is another.
    const same = path.join(one, '3501.gff3');
    const { atime, mtime } = statSync(same);
    writeFileSync(same, readFileSync(same, 'latin1').replace('gene', 'exon'));
    utimesSync(same, atime, new Date(mtime.getTime() + 1));
    renameSync(
      path.join(master.databases, 'chromosome 8'),
      path.join(master.databases, 'chromosome 8 renamed'),
    );
    rmSync(path.join(master.databases, 'chromosome 9'), { recursive: true });
    // Two names of one file become two files.
    rmSync(path.join(master.databases, 'links/two'));
    writeFileSync(path.join(master.databases, 'links/two'), 'of three NAMES');
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    assert.match(output, / in 50[1-9] files,/);
    await assertSlaveHasAll();
  });

  test('with nothing changed nothing is sent', async t => {
    const { status, output } = await master.run('sync');
    assert.equal(status, 0, output);
    assert.match(output, /nothing has changed/);
    t.diagnostic(output.slice(output.indexOf('Time taken')));
    assert.deepEqual(await master.account.remains(), []);
  });
});
