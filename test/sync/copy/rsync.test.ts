import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bothHave, endOf, type Pass, parseProgress, rsyncArguments } from '../../../src/sync/copy/rsync.ts';

const PASS: Pass = {
  source: '/var/lib/gbrowse2/databases',
  target: '/srv/gbrowse-sync/0/databases',
  inPlace: true,
  sparse: true,
  times: 'exact',
  rsh: 'ssh -F "/tmp/x/ssh_config"',
  host: 'staging',
  asRoot: 'sudo -n ',
};

describe('the command line of rsync', () => {
  test('everything of a file is copied, and what is gone is deleted', () => {
    const words = rsyncArguments(PASS);
    for (const word of [
      '-aHAX',
      '--sparse',
      '--numeric-ids',
      '--delete',
      '--modify-window=-1',
      '--inplace',
    ]) {
      assert.ok(words.includes(word), word);
    }
    assert.deepEqual(words.slice(-2), [
      '/var/lib/gbrowse2/databases/',
      'staging:/srv/gbrowse-sync/0/databases/',
    ]);
    assert.ok(words.includes('--rsync-path=sudo -n rsync'));
  });

  test('files with several names are never written in place', () => {
    const words = rsyncArguments({ ...PASS, inPlace: false });
    assert.deepEqual([words.includes('--inplace'), words.includes('--partial')], [false, true]);
  });

  test('an rsync that has no fine times compares contents', () => {
    assert.ok(rsyncArguments({ ...PASS, times: 'checksum' }).includes('--checksum'));
  });
});

describe('what rsync says of its progress', () => {
  for (const [line, expected] of [
    [
      '     31457280  99%  507.94MB/s    0:00:00 (xfr#1, to-chk=1/3)',
      { bytes: 31_457_280, files: 1, toCheck: 1, known: 3 },
    ],
    ['  1048576   3%   10.00MB/s    0:01:00  ', { bytes: 1_048_576, files: 0 }],
    [
      '0   0%    0.00kB/s    0:00:00 (xfr#0, ir-chk=1000/1005)',
      { bytes: 0, files: 0, toCheck: 1000, known: 1005 },
    ],
    ['file has vanished: "/x"', undefined],
    ['', undefined],
  ] as const) {
    test(JSON.stringify(line), () => assert.deepEqual(parseProgress(line), expected));
  }
});

describe('how a pass ended', () => {
  const full =
    'rsync: [receiver] write failed on "/srv/x": No space left on device (28)\nrsync error: error in file IO (code 11)';
  for (const [status, stderr, kind] of [
    [0, '', 'done'],
    [24, 'file has vanished: "/x"', 'done'],
    [11, full, 'full'],
    // The receiver's words arrive, its exit status does not.
    [12, full, 'full'],
    [12, 'rsync: connection unexpectedly closed (0 bytes received so far) [sender]', 'broken'],
    [255, 'client_loop: send disconnect: Broken pipe', 'broken'],
    [null, '', 'broken'],
    [23, 'rsync: [sender] send_files failed to open "/x": Permission denied (13)', 'failed'],
    [1, 'rsync: --foo: unknown option', 'failed'],
  ] as const) {
    test(`status ${status}, "${stderr.slice(0, 40)}": ${kind}`, () => {
      assert.equal(endOf({ status, stderr, stdout: '' }, undefined).kind, kind);
    });
  }
});

test('versions are compared by their numbers', () => {
  assert.equal(bothHave('3.1.3', ['3.5.0', '3.1.3']), true);
  assert.equal(bothHave('3.1.3', ['3.10.0', '3.1.12']), true);
  assert.equal(bothHave('3.1.3', ['3.5.0', '3.0.9']), false);
  assert.equal(bothHave('3.1.3', ['3.5.0', '']), false);
});
