import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { foreignIn, listedIn, ownIn, withOwn } from '../../src/farm/renderfarm.ts';
import { withList } from './fixtures/with-list.ts';

const A = 'http://10.0.0.5:8101';
const B = 'http://10.0.0.6:8101';

const FARM = `[GENERAL]\nrenderfarm = 1\nremote renderer =\n\t${A}\n\t${B}\n`;
const NO_FARM = '[GENERAL]\nrenderfarm = 0\nremote renderer =\n';
/** As Debian's package ships it. */
const DEBIAN = '[GENERAL]\n\nrenderfarm = 0\n\nremote renderer = \n';

const READ: Record<string, [text: string, urls: string[]]> = {
  'the form of the manual': [FARM, [A, B]],
  'no slave': [NO_FARM, []],
  "Debian's file": [DEBIAN, []],
  'an empty file': ['', []],
  'the URLs on the same line': [`[general]\nrenderfarm=1\nremote renderer=${A} ${B}`, [A, B]],
  'both, with comments and blank lines': [
    `[General]\nrenderfarm = 1 # on\nremote renderer = ${A} # the first\n\n\t# then\n   ${B}   # the other\n`,
    [A, B],
  ],
  'CR LF': [FARM.replaceAll('\n', '\r\n'), [A, B]],
  'names in capitals': [`[GENERAL]\nRenderFarm = 1\nREMOTE RENDERER = ${A}`, [A]],
  'the section by its other name': [`[default]\nrenderfarm = 1\nremote renderer = ${A}`, [A]],
  'quotes around a URL': [`[GENERAL]\nrenderfarm = 1\nremote renderer = "${A}"`, [A]],
  'the last of several lists': [`${FARM}remote renderer = ${B}\n`, [B]],
  'no section at all, as included': [`renderfarm = 1\nremote renderer = ${A}`, [A]],
  'a farm that is switched off': [FARM.replace('= 1', '= 0'), []],
  'a farm that is never switched on': [FARM.replace('renderfarm = 1\n', ''), []],
  'the word local': ['[GENERAL]\nrenderfarm = 1\nremote renderer = local', []],
  "another section's setting": [`[yeast]\nrenderfarm = 1\nremote renderer = ${A}`, []],
  'a URL that is not indented, which GBrowse does not read': [
    `[GENERAL]\nrenderfarm = 1\nremote renderer =\n${A}\n`,
    [],
  ],
};

for (const [what, [text, urls]] of Object.entries(READ)) {
  test(`the farm is read from ${what}`, () => {
    assert.deepEqual(listedIn(text), urls);
  });
}

const WRITTEN: Record<string, [before: string | undefined, urls: string[], after: string]> = {
  'a new file': [undefined, [A, B], FARM],
  'a new file without a slave': [undefined, [], NO_FARM],
  'an empty file': ['', [A, B], FARM],
  'the first slave': [NO_FARM, [A, B], FARM],
  'the last slave gone': [FARM, [], NO_FARM],
  "Debian's file": [DEBIAN, [A], `[GENERAL]\n\nrenderfarm = 1\n\nremote renderer =\n\t${A}\n`],
  'CR LF': [NO_FARM.replaceAll('\n', '\r\n'), [A, B], FARM.replaceAll('\n', '\r\n')],
  'no newline at the end': ['# ours\n[GENERAL]', [A, B], `# ours\n${FARM}`],
  'no [GENERAL]': ['# ours', [A, B], `# ours\n${FARM}`],
  'other settings': [
    `[GENERAL]\nslave_timeout = 30\n# the farm\nrenderfarm = 0 # off\nremote renderer = ${B}\n\t# old:\n\t${B}\n[yeast]\nx = 1`,
    [A],
    `[GENERAL]\nslave_timeout = 30\n# the farm\nrenderfarm = 1\nremote renderer =\n\t${A}\n\t# old:\n[yeast]\nx = 1`,
  ],
  'settings of the section that has none of ours': [
    '[GENERAL]\nslave_timeout = 30\n',
    [A, B],
    `${FARM}slave_timeout = 30\n`,
  ],
  'one of the two settings missing': ['[GENERAL]\nrenderfarm = 0\nother = 1\n', [A, B], `${FARM}other = 1\n`],
  'the other one missing': ['[GENERAL]\nremote renderer =\nother = 1\n', [A, B], `${FARM}other = 1\n`],
  'a second list further down': [
    `${NO_FARM}x = 1\nremote renderer = ${B}\n`,
    [A],
    `[GENERAL]\nrenderfarm = 1\nremote renderer =\n\t${A}\nx = 1\nremote renderer =\n\t${A}\n`,
  ],
};

for (const [what, [before, urls, after]] of Object.entries(WRITTEN)) {
  test(`the farm is written: ${what}`, () => {
    assert.equal(withList(before, urls), after);
    assert.equal(withList(after, urls), after, 'and a second time nothing changes');
  });
}

const url = fc
  .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `http://${host}:${port}`);
const farm = fc.uniqueArray(url, { maxLength: 5 });
const foreign = fc.constantFrom(
  '',
  ' ',
  '# a comment',
  '   # indented',
  '#',
  '##gff-version 3',
  '[GENERAL]',
  '[general] # x',
  '[yeast]',
  ' [GENERAL]',
  'slave_timeout = 45',
  'other =',
  'constructor = 1',
  '\tcontinued',
  'not a setting',
  'reference = chrI',
  '#include more.conf',
  'a-b = c',
  'colour = #ff0000',
  '\xfcml\xe4ut = 1',
  '\xa0 = 2',
);
const own = fc.constantFrom(
  'renderfarm = 1',
  'renderfarm=0',
  ' renderfarm = 1',
  'Remote Renderer = http://1.2.3.4:1 # x',
  'remote renderer =',
  '\thttp://1.2.3.4:2',
  '\t#http://1.2.3.4:3',
  'http://1.2.3.4:4',
  'remote  renderer = http://1.2.3.4:5',
);
const file = fc
  .tuple(fc.array(fc.oneof(foreign, own), { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, final]) => lines.join(end) + (final ? end : ''));

test('whatever is in the file, afterwards GBrowse has exactly the list, and writing it again changes nothing', () => {
  fc.assert(
    fc.property(file, farm, (text, urls) => {
      const result = withList(text, urls);
      assert.deepEqual(listedIn(result), urls);
      assert.equal(withList(result, urls), result);
    }),
    { numRuns: 2_000 },
  );
});

test('lines that are not ours are kept byte for byte, in their order', () => {
  const lines = fc.array(foreign, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lines, fc.constantFrom('\n', '\r\n'), farm, (kept, end, urls) => {
      const text = kept.map(line => line + end).join('');
      const settings = [
        `renderfarm = ${urls.length > 0 ? 1 : 0}`,
        'remote renderer =',
        ...urls.map(u => `\t${u}`),
      ];
      const block = settings.map(line => line + end).join('');
      const [before, after, ...more] = withList(text, urls).split(block);
      assert.equal(more.length, 0);
      const others = `${before}${after}`;
      assert.ok(others === text || others === `${text}[GENERAL]${end}`, 'nothing else has changed');
    }),
    { numRuns: 500 },
  );
});

test('growing and shrinking brings the same file back', () => {
  fc.assert(
    fc.property(file, farm, farm, (text, some, others) => {
      const first = withList(text, some);
      assert.equal(withList(withList(first, others), some), first);
    }),
  );
});

/** Reads each file as GBrowse does: by an #include within the [GENERAL] of another. One line for each setting. */
const PROGRAM = `
  use Bio::Graphics::FeatureFile;
  # What is no setting is a feature to it, and mostly an error; the settings are what is compared here.
  { no warnings; *Bio::Graphics::FeatureFile::parse_data_line = sub { }; }
  for my $file (@ARGV) {
    my $c = Bio::Graphics::FeatureFile->new(-file => $file, -safe => 1);
    my $list = $c->setting(general => 'remote renderer') // '';
    $list = '' if $list =~ /^(none|local)?$/ or !$c->setting(general => 'renderfarm');
    print join(' ', split ' ', $list), "\n";
  }
`;
const perl = spawnSync('perl', ['-MBio::Graphics::FeatureFile', '-e', '1']).status === 0;

test("GBrowse's own reader gets the same out of any file, before and after", {
  skip: perl ? false : 'Perl with Bio::Graphics is not installed',
}, () => {
  const directory = mkdtempSync(join(tmpdir(), 'renderfarm-'));
  try {
    // It dies where one file is included twice.
    const readable = file.filter(text => text.split('#include').length <= 2);
    const texts = fc
      .sample(readable, 150)
      .flatMap(text => [text, withList(text, [A, B]), withList(text, [])]);
    const paths = texts.map((text, number) => {
      writeFileSync(join(directory, `${number}.conf`), text, 'latin1');
      const path = join(directory, `GBrowse${number}.conf`);
      writeFileSync(path, `[GENERAL]\n#include ${number}.conf\n`);
      return path;
    });
    const said = execFileSync('perl', ['-e', PROGRAM, ...paths], { encoding: 'utf8', stdio: 'pipe' }).split(
      '\n',
    );
    for (const [number, text] of texts.entries()) {
      assert.equal(said[number], listedIn(text).join(' '), JSON.stringify(text));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the administrator’s slaves stay through start, scaling, a crash and a stop; only our own come and go', () => {
  const LB = 'http://lb:80';
  let text = `[GENERAL]\n\nrenderfarm = 1\n\nremote renderer = ${LB}\n`;
  assert.deepEqual(ownIn(text), []);
  for (const urls of [[A], [A, B], [B], [], [B]]) {
    text = withOwn(text, urls);
    assert.deepEqual(listedIn(text), [LB, ...urls], text);
    assert.deepEqual([ownIn(text), foreignIn(text)], [urls, [LB]]);
    assert.equal(withOwn(text, urls), text);
    assert.equal(withOwn(withOwn(text, [A]), urls), text);
  }
  assert.equal(text.split('keeps these slaves').length, 2);
  assert.deepEqual(listedIn(withOwn(text, [])), [LB]);
  assert.deepEqual(listedIn(withOwn(undefined, [A])), [A]);
  assert.deepEqual(foreignIn('[GENERAL]\nremote renderer = none\n'), []);
});

test('what somebody else has changed among our own slaves is put right', () => {
  const text = withOwn('[GENERAL]\n', [A, B]);
  for (const changed of [
    text.replace(`\t${A}\n`, ''),
    text.replace('renderfarm = 1', 'renderfarm = 0'),
    text.replace(/^#.*keeps these slaves.*\n/m, ''),
  ]) {
    assert.notEqual(changed, text);
    assert.equal(withOwn(changed, [A, B]), text);
  }
});
