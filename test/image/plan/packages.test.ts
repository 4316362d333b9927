import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packagesToInstall, upstreamVersion } from '../../../src/image/plan/packages.ts';
import type { Package } from '../../../src/image/survey/packages.ts';

const pack = (name: string, isManual = false): Package => ({ name, version: '1', isManual });
const MASTER: readonly Package[] = [
  pack('apache2', true),
  pack('bioperl'),
  pack('gbrowse', true),
  pack('gbrowse-data', true),
  pack('libbio-db-bigfile-perl'),
  pack('libdbd-mysql-perl'),
  pack('libgd-perl'),
  pack('liblist-moreutils-perl', true),
  pack('libvm-ec2-perl'),
  pack('mariadb-server', true),
  pack('perl-base'),
  pack('postgresql', true),
];

describe('of the packages of a master, a slave gets', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
    [
      'GBrowse first, BioPerl, drivers, and the modules that somebody installed by name',
      [],
      [],
      ['gbrowse', 'bioperl', 'libbio-db-bigfile-perl', 'libdbd-mysql-perl', 'liblist-moreutils-perl'],
    ],
    [
      'the modules that GBrowse loads, but not Perl itself',
      ['libgd-perl', 'perl-base'],
      [],
      [
        'gbrowse',
        'bioperl',
        'libbio-db-bigfile-perl',
        'libdbd-mysql-perl',
        'libgd-perl',
        'liblist-moreutils-perl',
      ],
    ],
    [
      'the server of a database that a data source opens',
      [],
      ['mysql'],
      [
        'gbrowse',
        'bioperl',
        'libbio-db-bigfile-perl',
        'libdbd-mysql-perl',
        'liblist-moreutils-perl',
        'mariadb-server',
      ],
    ],
  ];
  for (const [what, loaded, drivers, expected] of cases) {
    test(what, () => assert.deepEqual(packagesToInstall(MASTER, new Set(loaded), drivers), expected));
  }

  test('the modules, where GBrowse itself is from no package', () => {
    const others = MASTER.filter(it => it.name !== 'gbrowse');
    assert.equal(packagesToInstall(others, new Set(), []).includes('gbrowse'), false);
  });
});

describe('the upstream version', () => {
  for (const [version, expected] of [
    ['2.56+dfsg-11', '2.56+dfsg'],
    ['1:2.56+dfsg-11+deb12u1', '2.56+dfsg'],
    ['2.56', '2.56'],
    ['2.56-rc-1', '2.56-rc'],
  ] as const) {
    test(`of ${version} is ${expected}`, () => assert.equal(upstreamVersion(version), expected));
  }
});
