import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeOffered, parseOffered } from '../../../src/image/machine/prepare.ts';

const PLAN = {
  gbrowse: { version: '2.56', package: '2.56+dfsg-11' },
  packages: ['gbrowse', 'bioperl', 'libx-perl'],
};

describe("what the image's package archive has", () => {
  test('is read line by line; nobody installs what it lacks', () => {
    const offered = parseOffered(
      'package rsync 3.2\npackage gbrowse 2.56+dfsg-12\npackage bioperl 1.7\npackage libx-perl (none)\npresent 2.56\n',
    );
    assert.equal(offered.present, '2.56');
    assert.deepEqual(judgeOffered(PLAN, offered), {
      install: ['gbrowse', 'bioperl'],
      missing: ['libx-perl'],
    });
  });

  for (const [what, text, message] of [
    [
      'another version of GBrowse',
      'package gbrowse 2.49-1\n',
      /this master has GBrowse 2\.56, and .* gbrowse 2\.49-1/,
    ],
    ['no GBrowse', 'package gbrowse \n', /has no gbrowse; start from an image/],
    ['no GBrowse, and another one is there', 'package gbrowse\npresent 2.49\n', /has no gbrowse/],
  ] as const) {
    test(`is refused with ${what}`, () => {
      assert.throws(() => judgeOffered(PLAN, parseOffered(text)), message);
    });
  }

  test('does not matter for a GBrowse that is there already in the version of the master', () => {
    assert.deepEqual(judgeOffered(PLAN, parseOffered('present 2.56\n')).install, []);
  });

  test('does not matter for a GBrowse that is from no package on the master either', () => {
    const plan = { gbrowse: { version: '2.56' }, packages: ['bioperl'] };
    assert.deepEqual(judgeOffered(plan, parseOffered('package bioperl 1.7\n')).install, ['bioperl']);
  });
});
