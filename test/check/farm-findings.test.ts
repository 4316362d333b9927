import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { farmFindings } from '../../src/check/farm-findings.ts';
import { filesOf } from '../gbrowse/directory.ts';

type Files = Readonly<Record<string, string>>;
type Expected = readonly (readonly [verdict: string, message: RegExp, fix?: RegExp])[];

const FARM = '[GENERAL]\nrenderfarm = 1\nremote renderer = http://10.0.0.5:8101\n';
const INCLUDED = '[GENERAL]\n#include renderfarm.conf\n';

const CASES: Readonly<Record<string, readonly [Files, Expected]>> = {
  'a farm file that GBrowse reads': [
    { 'GBrowse.conf': INCLUDED, 'renderfarm.conf': FARM },
    [['ok', /renderfarm\.conf, which .*GBrowse\.conf includes/]],
  ],
  'a farm file that is not there yet': [{ 'GBrowse.conf': INCLUDED }, [['ok', /includes/]]],
  'one that a pattern will find': [{ 'GBrowse.conf': '[GENERAL]\n#include r*.conf\n' }, [['ok', /includes/]]],
  'one that nobody includes': [
    { 'GBrowse.conf': '[GENERAL]\nrenderfarm = 0\n# #include renderfarm.conf\n' },
    [['problem', /does not include it/, /in \[GENERAL\].*\n {4}#include renderfarm\.conf/]],
  ],
  'a later file that switches the farm off': [
    {
      'GBrowse.conf': '[GENERAL]\n#include renderfarm.conf\n#include GBrowse.local\nslave_timeout = 45\n',
      'GBrowse.local': 'db_base = /var/lib/gbrowse/databases\nrenderfarm = 0\n',
      'renderfarm.conf': FARM,
    },
    [['problem', /GBrowse\.local:2 sets "renderfarm = 0"/, /Remove line 2 of .*GBrowse\.local/]],
  ],
  'a directory of files that switches the farm off': [
    {
      'GBrowse.conf': '[GENERAL]\n#include renderfarm.conf\n#include local.d/*.conf\n',
      'local.d/farm.conf': 'renderfarm = 0\n',
    },
    [['problem', /local\.d\/farm\.conf:1 sets "renderfarm = 0"/, /Remove line 1 of .*farm\.conf/]],
  ],
  'a setting before the farm file': [
    { 'GBrowse.conf': '[GENERAL]\nrenderfarm = 0\n#include renderfarm.conf\n' },
    [['ok', /includes/]],
  ],
  ...Object.fromEntries(
    ['1', 'on', 'true', 'yes', '"1"', '"0"'].map(value => [
      `renderfarm = ${value}, which is true, after the farm file`,
      [{ 'GBrowse.conf': `${INCLUDED}renderfarm = ${value}\n` }, [['ok', /includes/]]],
    ]),
  ),
  'a switch without a value after the farm file': [
    { 'GBrowse.conf': `${INCLUDED}renderfarm =\n` },
    [['problem', /GBrowse\.conf:3 sets "renderfarm = "/]],
  ],
  'a list of its own after the farm file': [
    { 'GBrowse.conf': `${INCLUDED}remote renderer = http://a:1\n` },
    [['problem', /GBrowse\.conf:3 sets "remote renderer"/]],
  ],
  'a data source that undoes it twice': [
    {
      'GBrowse.conf': `${INCLUDED}\n[c_elegans]\ndescription = worm\npath = c_elegans.conf\n`,
      'c_elegans.conf': `[GENERAL]
database = c_elegans
renderfarm    = 0

[TRACK DEFAULTS]
remote renderer = http://192.0.2.174:8101 http://192.0.2.174:8102 http://192.0.2.174:8103
                  http://192.0.2.173:8101 http://192.0.2.173:8102 http://192.0.2.173:8103

[NG]
feature = gene
glyph = gene
`,
    },
    [
      ['ok', /includes/],
      [
        'problem',
        /Every data source has settings of its own that override the farm: c_elegans/,
        /c_elegans\.conf:3 sets "renderfarm = 0": the master draws all of it\n.*c_elegans\.conf:6 sets its own "remote renderer"/,
      ],
    ],
  ],
  'one data source of two': [
    {
      'GBrowse.conf': `${INCLUDED}[a]\npath = a.conf\n[b]\npath = b.conf\n`,
      'a.conf': '[GENERAL]\nrenderfarm = 1\n[genes]\nremote renderer = local\n',
      'b.conf': '[GENERAL]\nrenderfarm = 1\n',
    },
    [
      ['ok', /includes/],
      [
        'warning',
        /Some data sources .* farm: a\./,
        /a\.conf:4 sets "remote renderer = local" \(track genes\)/,
      ],
    ],
  ],
  'an include that GBrowse takes for a loop': [
    { 'GBrowse.conf': `${INCLUDED}#include x.conf\n#include x.conf\n`, 'x.conf': 'a = 1\n' },
    [
      ['ok', /includes/],
      ['problem', /GBrowse\.conf:4: includes x\.conf a second time/],
    ],
  ],
  'a farm file without its section, included into another one': [
    {
      'GBrowse.conf': '[GENERAL]\na = 1\n[yeast]\n#include renderfarm.conf\n',
      'renderfarm.conf': 'renderfarm = 1\n',
    },
    [['problem', /where it has no effect/]],
  ],
};

describe('whether a GBrowse draws with the slaves of the farm file', () => {
  for (const [name, [files, expected]] of Object.entries(CASES)) {
    test(name, async t => {
      const directory = filesOf(t, files);
      const found = await farmFindings(
        { directory, file: path.join(directory, 'GBrowse.conf') },
        path.join(directory, 'renderfarm.conf'),
        true,
      );
      assert.deepEqual(
        found.map(({ verdict }) => verdict),
        expected.map(([verdict]) => verdict),
      );
      for (const [at, [, message, fix]] of expected.entries()) {
        assert.match(found[at]?.message ?? '', message);
        if (fix !== undefined) assert.match(found[at]?.fix ?? '', fix);
      }
    });
  }

  test('another GBrowse that does not include it is a warning, which says where it comes from', async t => {
    const directory = filesOf(t, { 'GBrowse.conf': '[GENERAL]\n' });
    const namedBy = 'GBROWSE_CONF in /etc/apache2/sites-enabled/b.conf:3';
    const [finding] = await farmFindings(
      { directory, file: path.join(directory, 'GBrowse.conf'), namedBy },
      '/etc/gbrowse/renderfarm.conf',
      false,
    );
    assert.equal(finding?.verdict, 'warning');
    assert.match(finding?.message ?? '', /another GBrowse: .*b\.conf:3\) does not include/);
    assert.match(finding?.fix ?? '', /#include \/etc\/gbrowse\/renderfarm\.conf/);
  });
});
