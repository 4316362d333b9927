import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { readConfiguration } from '../../src/gbrowse/configuration.ts';
import { settingOf } from '../../src/gbrowse/parse.ts';
import { shellwords } from '../../src/gbrowse/shellwords.ts';
import { filesOf } from './directory.ts';

/**
 * What GBrowse itself has in memory: every option of every section of GBrowse.conf, and each data source's path. Lines that
 * it takes for features are not loaded: most of them are a syntax error to it.
 */
const PERL = `
use Bio::Graphics::Browser2; use JSON::PP;
no warnings; *Bio::Graphics::FeatureFile::parse_data_line = sub { 1 };
my $globals = eval { Bio::Graphics::Browser2->new($ARGV[0]) };
if (!$globals) { print encode_json({ error => "$@" }); exit }
my %sections;
for my $section ($globals->SUPER::_setting) { next if $section =~ /^\\./;
  for my $option ($globals->_setting($section)) {
    my $value = $globals->_setting($section, $option);
    $sections{$section}{$option} = ref $value ? 'CODE' : $value; } }
my %paths = map { ($_ => $globals->data_source_path($_)) } grep { $globals->_setting($_ => 'path') } $globals->data_sources;
print JSON::PP->new->canonical->encode({ sections => \\%sections, paths => \\%paths });
`.replace('$globals->SUPER::_setting', 'keys %{$globals->{config}}');

const installed = spawnSync('perl', ['-MBio::Graphics::Browser2', '-MJSON::PP', '-e', '1']).status === 0;
const skip = installed ? false : 'GBrowse is not installed';

type Told = {
  readonly error?: string;
  readonly sections: Record<string, Record<string, string>>;
  readonly paths: Record<string, string>;
};

function askGBrowse(file: string): Told {
  const { stdout, stderr } = spawnSync('perl', ['-e', PERL, file], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
  });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}

const LAYOUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a farm file that is included': {
    'GBrowse.conf': '[GENERAL]\n#include renderfarm.conf\nslave_timeout = 45\n',
    'renderfarm.conf':
      '[GENERAL]\nrenderfarm = 1\nremote renderer =\n\thttp://10.0.0.5:8101\n\thttp://10.0.0.6:8101\n',
  },
  'a later file that undoes it': {
    'GBrowse.conf': '[GENERAL]\n#include renderfarm.conf\n#include GBrowse.local\n',
    'renderfarm.conf': '[GENERAL]\nrenderfarm = 1\n',
    'GBrowse.local': 'db_base = /var/lib/gbrowse/databases\nrenderfarm = 0\n',
  },
  'a directory of files, in their order': {
    'GBrowse.conf': '[GENERAL]\n#include "local.d/*.conf"\n',
    'local.d/b.conf': 'renderfarm = b\n',
    'local.d/C.conf': 'renderfarm = c\n',
    'local.d/a.conf': 'renderfarm = a\nwho = a\n',
    'local.d/.hidden.conf': 'renderfarm = hidden\n',
    'local.d/z.txt': 'renderfarm = z\n',
  },
  'includes within includes, from their own directories': {
    'GBrowse.conf': '[GENERAL]\n#INCLUDE sub/first.conf\n#include here.conf\n',
    'sub/first.conf': "#include 'here.conf'\n#include ../top.conf\n",
    'sub/here.conf': 'place = sub\n',
    'here.conf': 'place = never read: the same name a second time\n',
    'top.conf': 'top = 1\n',
  },
  'braces and question marks': {
    'GBrowse.conf': '[GENERAL]\n#include {b,a}?.conf\n',
    'a1.conf': 'who = a1\n',
    'b1.conf': 'who = b1\n',
    'b2.conf': 'who = b2\n',
  },
  'a file that is not there': {
    'GBrowse.conf': '[GENERAL]\n#include none.conf\n#include none*.conf\nafter = 1\n',
  },
  'what only looks like an include': {
    'GBrowse.conf':
      '[GENERAL]\n # include no.conf\n  #include no.conf\n#includeno.conf\n# #include no.conf\na = 1\n',
    'no.conf': 'b = 1\n',
  },
  'an include inside a section, and a section inside an include': {
    'GBrowse.conf':
      '[one]\npath = one.conf\n#include more.conf\ndescription = whose?\n[two]\npath=@DIR@/two.conf\n',
    'more.conf': 'colour = #ff0000\n[General]\nrenderfarm = 1\n',
    'one.conf': '',
    'two.conf': '',
  },
  'comments, continuations, colours, Windows line ends': {
    'GBrowse.conf':
      '[GENERAL]\r\nA = 1 # one\r\nb = <a href="x#y">\r\nlist = x\r\n  y # why\r\n\r\n  z\r\n#comment\r\n  more\r\n[default]\r\nempty =\r\n  filled\r\n',
  },
  'lines that GBrowse takes for data': {
    'GBrowse.conf':
      '[GENERAL]\na = 1\n##renderfarm settings\nrenderfarm = 1\n[GENERAL]\nb = 2\nsome-name = 3\nc = 4\n[x]\nd = 5\n',
  },
  'an option before the first section': { 'GBrowse.conf': 'lost = 1\n[GENERAL]\nkept = 1\n' },
  'a continuation in the next section': { 'GBrowse.conf': '[GENERAL]\na = 1\n[next]\n  goes on\nb = 2\n' },
  'an indented comment without an option before it': {
    'GBrowse.conf': '[GENERAL]\n  # note\nlost = 1\n[x]\na = 1\n',
  },
  'a configuration base of its own': {
    'GBrowse.conf': '[GENERAL]\nconfig_base = @DIR@/base\n[s]\npath = s.conf\n',
    'base/s.conf': '',
  },
  'a pattern of data sources': {
    'GBrowse.conf': '[GENERAL]\n[=~(.+)_x]\npath = $1.conf\n[p]\npath = s.conf\n',
  },
  'a name with blanks': { 'GBrowse.conf': '[GENERAL]\n#include "my file.conf"\n', 'my file.conf': 'a = 1\n' },
  'two options of one name in sections of one name': {
    'GBrowse.conf': '[GENERAL]\na = 1\n[x]\nb = 1\n[GENERAL]\nA = 2\n[x]\nb = 2\n',
  },
};

describe('a configuration is read as GBrowse itself reads it', { skip }, () => {
  for (const [name, files] of Object.entries(LAYOUTS)) {
    test(name, async t => {
      const file = path.join(filesOf(t, files), 'GBrowse.conf');
      const told = askGBrowse(file);
      const read = await readConfiguration(file);
      if (told.error !== undefined) {
        assert.match(told.error, /loop detected/);
        assert.ok(read.globals.troubles.some(({ fatal }) => fatal));
        return;
      }
      // GBrowse puts a config_base of its own where there is none.
      const { config_base: base, ...general } = told.sections.general ?? {};
      const own: Record<string, Record<string, string>> = {};
      for (const [section, options] of read.globals.sections) {
        own[section] = Object.fromEntries([...options].map(([option, { value }]) => [option, value]));
      }
      const { config_base: ownBase = base, ...ownGeneral } = own.general ?? {};
      assert.deepEqual({ ...own, general: ownGeneral }, { ...told.sections, general });
      assert.equal(ownBase, base);
      const paths = read.sources.flatMap(({ name: source, reading }) =>
        reading === undefined ? [] : [[source, reading.files[0] ?? reading.troubles[0]?.file]],
      );
      const known = Object.entries(told.paths).filter(([source]) => !source.startsWith('=~'));
      assert.deepEqual(Object.fromEntries(paths), Object.fromEntries(known));
    });
  }

  test("Debian's own configuration, with its five data sources", async () => {
    const file = '/etc/gbrowse/GBrowse.conf';
    const told = askGBrowse(file);
    const { globals, sources } = await readConfiguration(file);
    assert.deepEqual(
      Object.fromEntries(
        sources.map(({ name, reading }) => [name, reading?.files[0] ?? reading?.troubles[0]?.file]),
      ),
      told.paths,
    );
    for (const option of ['db_base', 'renderfarm', 'config_base']) {
      assert.equal(settingOf(globals.sections, 'general', option)?.value, told.sections.general?.[option]);
    }
  });

  test('words in quotes, with backslashes, and with a quote that is not closed', () => {
    const lines = [
      `-adaptor memory -dir '/a b/c' "x \\" y" d\\ e f"g h"i`,
      `'it\\'`,
      '"open',
      "a 'open",
      '  lead  trail  ',
      '""',
    ];
    const { stdout } = spawnSync(
      'perl',
      [
        '-MText::ParseWords',
        '-MJSON::PP',
        '-e',
        'print encode_json([map { [shellwords($_)] } @ARGV])',
        '--',
        ...lines,
      ],
      { encoding: 'utf8' },
    );
    assert.deepEqual(lines.map(shellwords), JSON.parse(stdout));
  });
});

test('a link in the way is followed, as a change of directory follows it', async t => {
  const directory = filesOf(t, {
    'real/etc/GBrowse.conf': '[GENERAL]\n#include ../up.conf\n',
    'real/up.conf': 'a = 1\n',
  });
  symlinkSync(path.join(directory, 'real/etc'), path.join(directory, 'etc'));
  const { globals } = await readConfiguration(path.join(directory, 'etc/GBrowse.conf'));
  assert.deepEqual(settingOf(globals.sections, 'general', 'a'), {
    file: path.join(directory, 'real/up.conf'),
    number: 1,
    value: '1',
  });
});

test('a configuration that includes itself, or includes without end, is read to an end', async t => {
  const files = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`n${at}.conf`, `#include n${at + 1}.conf\n`]),
  );
  const directory = filesOf(t, {
    ...files,
    'GBrowse.conf': '[GENERAL]\n#include n0.conf\n',
    'self.conf': '#include self.conf\n',
  });
  const deep = await readConfiguration(path.join(directory, 'GBrowse.conf'));
  assert.match(deep.globals.troubles[0]?.message ?? '', /too many includes/);
  const self = await readConfiguration(path.join(directory, 'self.conf'));
  assert.deepEqual(
    self.globals.troubles.map(({ fatal, number }) => [fatal, number]),
    [[true, 1]],
  );
});
