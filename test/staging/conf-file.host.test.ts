import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
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
import { afterEach, beforeEach, describe, test } from 'node:test';
import { presentIn, updateConfigFile, withOutcome } from '../../src/staging/conf-file.ts';
import { notAlone } from '../peers/own-namespaces.ts';

const TEXT = `# \xe9t\xe9\r
[SLAVE]\r
image_id          = GBrowse-2.54   # AMI of the slave\r
data_snapshots    =                # EBS snapshot(s)\r
subnet            =\r
`;

/** The machine's own /tmp may belong to anybody. */
const PLACE = notAlone === false ? '/srv' : tmpdir();
if (notAlone === false) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', PLACE]);

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(PLACE, 'conf-file-'));
  file = path.join(directory, 'aws_balancer.conf');
  writeFileSync(file, TEXT, 'latin1');
});
afterEach(() => rmSync(directory, { recursive: true }));

const OUTCOME = { dataSnapshots: ['snap-1', 'snap-2'], imageId: 'ami-1' };

test('two values change, and no other byte', () => {
  assert.equal(
    withOutcome(TEXT, OUTCOME),
    TEXT.replace('GBrowse-2.54  ', 'ami-1         ').replace(
      '=                # EBS',
      '= snap-1 snap-2  # EBS',
    ),
  );
});

test('a file without the options gets them', () => {
  const text = withOutcome('[SLAVE]\nports = 8101\n', { dataSnapshots: ['snap-1'] });
  assert.equal(text, '[SLAVE]\nports = 8101\ndata_snapshots = snap-1\n');
});

describe('the file is replaced', () => {
  test('with its mode, and the version before beside it', async () => {
    chmodSync(file, 0o640);
    const backup = await updateConfigFile(file, presentIn(TEXT), OUTCOME);
    assert.equal(backup, `${file}.bak`);
    assert.equal(readFileSync(backup, 'latin1'), TEXT);
    assert.equal(presentIn(readFileSync(file, 'latin1')).data_snapshots, 'snap-1 snap-2');
    assert.deepEqual(
      [file, backup].map(it => statSync(it).mode & 0o777),
      [0o640, 0o640],
    );
    assert.deepEqual(readdirSync(directory).toSorted(), ['aws_balancer.conf', 'aws_balancer.conf.bak']);
  });

  test('with its owner', { skip: process.getuid?.() === 0 ? false : 'not root' }, async () => {
    chownSync(file, 33, 4321);
    const backup = await updateConfigFile(file, presentIn(TEXT), OUTCOME);
    assert.deepEqual(
      [file, backup].map(it => [statSync(it).uid, statSync(it).gid]),
      [
        [33, 4321],
        [33, 4321],
      ],
    );
  });

  test('where a link leads, and the link stays', async () => {
    const link = path.join(directory, 'link.conf');
    symlinkSync(file, link);
    assert.equal(await updateConfigFile(link, presentIn(TEXT), OUTCOME), `${file}.bak`);
    assert.equal(presentIn(readFileSync(file, 'latin1')).image_id, 'ami-1');
  });

  test('with what somebody has changed meanwhile in other options', async () => {
    writeFileSync(file, TEXT.replace('subnet            =', 'subnet            = subnet-1'), 'latin1');
    await updateConfigFile(file, presentIn(TEXT), OUTCOME);
    assert.match(readFileSync(file, 'latin1'), /subnet-1/);
  });
});

for (const [what, changed] of [
  ['other snapshots', TEXT.replace('=                # EBS', '= snap-9         # EBS')],
  ['another image', TEXT.replace('GBrowse-2.54', 'GBrowse-2.60')],
] as const) {
  test(`not when it names ${what} now: the message says what was made`, async () => {
    writeFileSync(file, changed, 'latin1');
    await assert.rejects(updateConfigFile(file, presentIn(TEXT), OUTCOME), /data_snapshots = snap-1 snap-2/);
    assert.equal(readFileSync(file, 'latin1'), changed);
    assert.deepEqual(readdirSync(directory), ['aws_balancer.conf']);
  });
}

test('a directory that is gone is named, with what to put into the file', async () => {
  rmSync(file);
  await assert.rejects(
    updateConfigFile(file, presentIn(TEXT), OUTCOME),
    /aws_balancer\.conf .*data_snapshots = snap-1/,
  );
});

describe('a file in a directory of another user', { skip: notAlone }, () => {
  /** www-data; it has an account everywhere. */
  const OWNER = 33;
  beforeEach(() => {
    chownSync(directory, OWNER, OWNER);
    chownSync(file, OWNER, OWNER);
  });

  test("is written with that user's rights", async () => {
    assert.equal(await updateConfigFile(file, presentIn(TEXT), OUTCOME), `${file}.bak`);
    assert.equal(presentIn(readFileSync(file, 'latin1')).image_id, 'ami-1');
    assert.equal(readFileSync(`${file}.bak`, 'latin1'), TEXT);
    assert.deepEqual(
      [file, `${file}.bak`].map(it => statSync(it).uid),
      [OWNER, OWNER],
    );
  });

  test('leads root to no file that the user could not read or write', async () => {
    const secret = mkdtempSync(path.join(PLACE, 'secret-'));
    const target = path.join(secret, 'aws_balancer.conf');
    writeFileSync(target, TEXT, { encoding: 'latin1', mode: 0o600 });
    rmSync(file);
    symlinkSync(target, file);
    await assert.rejects(updateConfigFile(file, presentIn(TEXT), OUTCOME), /Permission denied/);
    assert.deepEqual(readdirSync(secret), ['aws_balancer.conf']);
    assert.equal(readFileSync(target, 'latin1'), TEXT);
    rmSync(secret, { recursive: true });
  });

  test('is left alone where a third user may change the directory', async () => {
    chmodSync(directory, 0o777);
    await assert.rejects(
      updateConfigFile(file, presentIn(TEXT), OUTCOME),
      /users other than root can change .* put this into \[SLAVE\] yourself: data_snapshots = snap-1/,
    );
    assert.deepEqual(readdirSync(directory), ['aws_balancer.conf']);
  });
});
