import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { distributionOf } from '../../../src/image/survey/distribution.ts';
import { parseOwners, parsePackages } from '../../../src/image/survey/packages.ts';
import { parseSurvey } from '../../../src/image/survey/perl.ts';

describe('the distribution', () => {
  for (const [what, text, expected] of [
    ['Debian', 'PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n', { id: 'debian', version: '12' }],
    ['Ubuntu', 'ID=ubuntu\nVERSION_ID="24.04"\n', { id: 'ubuntu', version: '24.04' }],
    ['another one', 'ID=fedora\nVERSION_ID=41\nID_LIKE=debian\n', undefined],
    ['Debian without a release', 'ID=debian\n', undefined],
    ['nothing', '', undefined],
  ] as const) {
    test(`of an os-release of ${what}`, () => assert.deepEqual(distributionOf(text), expected));
  }
});

test('only installed packages count, and those that were asked for are marked', () => {
  assert.deepEqual(
    parsePackages('installed gbrowse 2.56\nconfig-files old 1\nnot-installed x \n', new Set(['gbrowse'])),
    [{ name: 'gbrowse', version: '2.56', isManual: true }],
  );
});

describe('what Perl says', () => {
  test('is the version, directories, files and what did not load', () => {
    const line = '{"version":"2.56","inc":["/a",7],"loaded":["/a/x.pm"],"failed":[]}';
    assert.deepEqual(parseSurvey(line), { version: '2.56', inc: ['/a'], loaded: ['/a/x.pm'], failed: [] });
  });

  for (const [what, line, expected] of [
    ['an error of GBrowse', '{"error":"no GD"}', 'no GD'],
    ['nothing', '', ''],
    ['something else', '[1]', ''],
  ] as const) {
    test(`is no survey where it is ${what}`, () => assert.equal(parseSurvey(line), expected));
  }
});

describe('what dpkg says of the owners of files', () => {
  test('gives the first package of each, without its architecture, and no word of diversions', () => {
    const found = [
      'libdbi-perl:amd64, perl: /usr/share/perl5',
      'gbrowse: /usr/share/perl5/Bio/Graphics/Browser2.pm',
      'diversion by dash from: /bin/sh',
      '',
    ].join('\n');
    assert.deepEqual(
      [...parseOwners(found)],
      [
        ['/usr/share/perl5', 'libdbi-perl'],
        ['/usr/share/perl5/Bio/Graphics/Browser2.pm', 'gbrowse'],
      ],
    );
  });
});
