import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSearched, pluginDirectories, siteFiles } from '../../../src/image/plan/copies.ts';

const OWNERS = new Map([['/usr/share/perl5/Bio/Graphics/Glyph/arrow.pm', 'libbio-graphics-perl']]);

describe('copied is what no package has', () => {
  const cases: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    [
      'everything of a directory without files of packages',
      '/usr/local/share/perl/5.36.0',
      ['/usr/local/share/perl/5.36.0/My.pm', '/usr/local/share/perl/5.36.0/My/table.txt'],
      ['/usr/local/share/perl/5.36.0/My.pm', '/usr/local/share/perl/5.36.0/My/table.txt'],
    ],
    [
      'a glyph between those of packages, but not what their scripts have written there',
      '/usr/share/perl5',
      [
        '/usr/share/perl5/Bio/Graphics/Glyph/arrow.pm',
        '/usr/share/perl5/Bio/Graphics/Glyph/ours.pm',
        '/usr/share/perl5/XML/SAX/ParserDetails.ini',
      ],
      ['/usr/share/perl5/Bio/Graphics/Glyph/ours.pm'],
    ],
    ['nothing of packages', '/usr/share/perl5', ['/usr/share/perl5/Bio/Graphics/Glyph/arrow.pm'], []],
  ];
  for (const [what, directory, files, expected] of cases) {
    test(what, () => {
      const copied = siteFiles([{ directory, files }], OWNERS);
      assert.deepEqual(
        copied.flatMap(it => it.files),
        expected,
      );
    });
  }

  test('a module of a package that somebody has changed', () => {
    const [file] = [...OWNERS.keys()];
    const found = { directory: '/usr/share/perl5', files: [file ?? ''] };
    assert.deepEqual(siteFiles([found], OWNERS, new Set([file ?? ''])), [found]);
  });

  test('once, where two directories hold the same', () => {
    const found = { directory: '/a', files: ['/a/x.pm'] };
    assert.deepEqual(siteFiles([found, found], new Map()), [found]);
  });
});

describe('the directories of plugin_path', () => {
  for (const [value, expected] of [
    ['plugins', ['/etc/gbrowse/plugins']],
    ['plugins /srv/more', ['/etc/gbrowse/plugins', '/srv/more']],
    ['/srv/a:"/srv/b"', ['/srv/a', '/srv/b']],
    ['', []],
  ] as const) {
    test(`of "${value}" are ${expected.join(', ') || 'none'}`, () =>
      assert.deepEqual(pluginDirectories(value, '/etc/gbrowse'), expected));
  }

  test('neither a relative directory of @INC nor the root is searched', () => {
    assert.deepEqual(['.', 'lib', '/', '//', '/srv'].filter(isSearched), ['/srv']);
  });
});
