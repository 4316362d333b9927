import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nodePackage } from '../../build/node.mjs';
import { bundledFiles } from '../../build/package/bundled-files.ts';
import { commandPage, GENERATED_PAGES, mainTemplate } from '../../build/package/command-page.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../build/package/completions.ts';
import { copyrightFile } from '../../build/package/copyright.ts';
import { exampleIamPolicy } from '../../build/package/iam-policy.ts';
import { manualPage } from '../../build/package/manual.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { loadConfig } from '../../src/config/load.ts';
import { optionsOf } from '../../src/config/options.ts';
import type { Policy } from '../../src/iam/policy.ts';
import { onPath } from './fixtures/roots.ts';

const root = path.resolve(import.meta.dirname, '../..');
const packaging = path.join(root, 'packaging');
const shipped = (name: string) => readFileSync(path.join(packaging, name), 'utf8');
const without = (command: string) => (onPath(command) ? false : `${command} is not installed`);

let directory: string;
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'documents-'));
});
after(() => rmSync(directory, { recursive: true }));

/** A file with this text, for a program that checks it. */
function file(name: string, text: string): string {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
}

describe('the manual pages', () => {
  const edition = { version: '1.2.3', date: '2026-11-22' };
  const pages = [
    'gbrowse-aws-balancer.1',
    'gbrowse-aws-balancer-sync.1',
    'aws_balancer.conf.5',
    'gbrowse-aws-balancer-costs.7',
    'gbrowse-aws-balancer-glossary.7',
    'gbrowse-aws-balancer-migration.7',
  ] as const;
  const main = shipped('man/gbrowse-aws-balancer.1');
  const page = (name: (typeof pages)[number]) =>
    manualPage(name === 'gbrowse-aws-balancer.1' ? mainTemplate(main) : shipped(`man/${name}`), edition);

  test('every command and option of the command line is in the first', () => {
    const text = page('gbrowse-aws-balancer.1');
    for (const { name } of COMMANDS) assert.ok(text.includes(`\n.B ${name.replaceAll('-', '\\-')}\n`), name);
    for (const { name } of OPTIONS)
      assert.ok(text.includes(`\n.B \\-\\-${name.replaceAll('-', '\\-')}`), name);
  });

  test('every option of sync is in its own', () => {
    const text = page('gbrowse-aws-balancer-sync.1');
    for (const { name, commands } of OPTIONS) {
      if (commands?.includes('sync') === true)
        assert.ok(text.includes(`\n.B \\-\\-${name.replaceAll('-', '\\-')}`), name);
    }
  });

  test('every option of the configuration file is in aws_balancer.conf(5)', () => {
    const text = page('aws_balancer.conf.5');
    for (const section of ['MASTER', 'SLAVE'] as const) {
      for (const { name } of optionsOf(section)) assert.ok(text.includes(`\n.B ${name}\n`), name);
    }
  });

  test('a place of a template that nothing belongs in is an error', () => {
    assert.throws(() => manualPage('@OPTIONS NONE@', edition), /@OPTIONS NONE@/);
  });

  test('every command has a page, with an example before its options, all of its options and no others', () => {
    for (const { name } of COMMANDS) {
      if (name === 'sync') continue;
      const text = commandPage(name, main, edition);
      assert.ok(text.indexOf('.SH EXAMPLES') < text.indexOf('.SH OPTIONS'), name);
      const options = text.slice(text.indexOf('.SH OPTIONS'));
      const named = [...options.matchAll(/^\.B \\-\\-(\S+)/gm)].map(([, it = '']) =>
        it.replaceAll('\\-', '-'),
      );
      const own = OPTIONS.filter(({ commands }) => commands?.includes(name) ?? true).map(it => it.name);
      assert.deepEqual(named.toSorted(), own.toSorted(), name);
    }
  });

  test('what a command does stands in one page', () => {
    const text = page('gbrowse-aws-balancer.1');
    for (const section of ['STATUS', 'METRICS', 'SIMULATE', 'CHECK'])
      assert.ok(!text.includes(`\n.SH ${section}\n`), section);
    assert.ok(commandPage('status', main, edition).includes('schemaVersion'));
  });

  const texts = [
    ...pages.map(name => [name, () => page(name)] as const),
    ...GENERATED_PAGES.map(
      name => [`gbrowse-aws-balancer-${name}.1`, () => commandPage(name, main, edition)] as const,
    ),
  ];
  for (const [name, textOf] of texts) {
    test(`${name} is good roff`, { skip: without('mandoc') }, () => {
      const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', file(name, textOf())], {
        encoding: 'utf8',
      });
      assert.equal(stdout, '');
    });
    test(`${name} is shown by man without a warning`, { skip: without('man') }, () => {
      const { stderr, stdout } = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', file(name, textOf())], {
        encoding: 'utf8',
        env: { ...process.env, MANROFFSEQ: '', MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
      });
      assert.equal(stderr, '');
      assert.match(stdout, /NAME/);
    });
  }
});

describe('the completions', () => {
  test('bash: commands, the options of a command, the values of an option', { skip: without('bash') }, () => {
    const script = file('completion.bash', bashCompletion());
    function complete(...words: readonly string[]): readonly string[] {
      const line = `. ${script}; COMP_WORDS=(${words.map(it => `'${it}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _gbrowse_aws_balancer 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', line], { encoding: 'utf8' }).trim().split('\n');
    }
    assert.deepEqual(complete('gbrowse-aws-balancer', '--back'), ['--background']);
    for (const { name } of COMMANDS) assert.ok(complete('gbrowse-aws-balancer', '').includes(name), name);
    assert.deepEqual(complete('gbrowse-aws-balancer', '--verbosity', ''), ['0', '1', '2', '3']);
    assert.deepEqual(complete('gbrowse-aws-balancer', 'run', '--log-format', 'j'), ['json']);
    assert.ok(complete('gbrowse-aws-balancer', '--user', 'roo').includes('root'));
    assert.ok(complete('gbrowse-aws-balancer', '--conf', '/etc/pass').includes('/etc/passwd'));
    assert.equal(complete('gbrowse-aws-balancer', 'gc', '--').includes('--pidfile'), false);
  });

  test('zsh understands its file', { skip: without('zsh') }, () => {
    const text = zshCompletion();
    execFileSync('zsh', ['-n', file('_gbrowse-aws-balancer', text)]);
    for (const { name } of OPTIONS) assert.ok(text.includes(`--${name}[`), name);
  });

  test('fish: commands, options, values', { skip: without('fish') }, () => {
    const script = file('completion.fish', fishCompletion());
    const complete = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', `source ${script}; complete -C '${line}'`], {
        encoding: 'utf8',
      });
    assert.match(complete('gbrowse-aws-balancer --backg'), /^--background\t/);
    assert.match(complete('gbrowse-aws-balancer --log-format '), /^json\t[\s\S]*^text\t/m);
    assert.match(complete('gbrowse-aws-balancer '), /^gc\t/m);
  });
});

describe('the example configuration', () => {
  const example = path.join(packaging, 'aws_balancer.conf');

  test('is right, without a warning', async () => {
    const { warnings } = await loadConfig(example);
    assert.deepEqual(warnings, []);
  });

  test('has every option once; one that is commented out with the value that it has without', async () => {
    const text = readFileSync(example, 'utf8');
    const all = [...optionsOf('MASTER'), ...optionsOf('SLAVE')];
    for (const { name, whenUnset } of all) {
      const lines = text.split('\n').filter(line => new RegExp(`^#?${name} *=`).test(line));
      assert.equal(lines.length, 1, name);
      const [, commented, value = ''] = /^(#?)\w+ *= *(.*?)(\s+#.*)?$/.exec(lines[0] ?? '') ?? [];
      if (commented !== '#' || typeof whenUnset === 'string') continue;
      assert.equal(value.replace(/^#.*/, ''), 'default' in whenUnset ? whenUnset.default : '', name);
    }
    // And with the comment signs off it is still right.
    const on = file('on.conf', text.replaceAll(/^#(\w+ *=)/gm, '$1'));
    assert.deepEqual((await loadConfig(on)).warnings, []);
  });
});

test("the README's examples of a configuration draw no warning", async () => {
  const readme = readFileSync(path.join(packaging, '../README.md'), 'utf8');
  const blocks = [...readme.matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm)].map(([block]) =>
    block.replace(/^ {4}/gm, ''),
  );
  const examples = blocks.filter(block => /^\[LOAD TABLE\]/m.test(block));
  assert.notEqual(examples.length, 0);
  for (const [at, example] of examples.entries()) {
    const conf = file(`readme-${at}.conf`, example);
    assert.deepEqual((await loadConfig(conf)).warnings, []);
    assert.doesNotMatch(example, /\b[cmt]1\.|GBrowse-2\.54/, 'nothing of 2012');
  }
});

test('the example of an IAM policy is what iam-policy prints for us-west-2, with sync and image', () => {
  const text = exampleIamPolicy();
  const { Statement }: Policy = JSON.parse(text);
  const [look] = Statement;
  assert.deepEqual(look?.Condition, { StringEquals: { 'ec2:Region': 'us-west-2' } });
  assert.match(text, /"aws:RequestTag\/gbrowse-aws-balancer:master": "MASTER"/);
  assert.match(text, /ec2:CreateSnapshots/);
  assert.match(text, /ec2:CreateImage/);
  // The manual page explains each statement.
  for (const { Sid } of Statement)
    assert.ok(shipped('man/gbrowse-aws-balancer.1').includes(`\n.B ${Sid}\n`), Sid);
});

test('the copyright file names every npm package in the executable, and Node.js with all its parts', async () => {
  const files = await bundledFiles(root);
  const node = nodePackage(process.arch);
  const text = await copyrightFile(root, files, node);
  const packages = new Set(files.flatMap(it => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(it)?.[0] ?? []));
  assert.ok(packages.size > 10);
  for (const directory of packages) {
    const [, paragraph = ''] = text.split(`Files: ${directory}/*\n`);
    assert.match(paragraph, /^Copyright: \S.*\n(?: .*\n)*Comment: .*\nLicense: \S+\n/, directory);
  }
  // Each licence that is named has its text.
  for (const [, name] of text.matchAll(/^License: (.*)$/gm))
    assert.ok(text.includes(`\nLicense: ${name}\n `), name);
  for (const part of ['OpenSSL', 'V8', 'ICU', 'libuv', 'zlib']) assert.ok(text.includes(part), part);
  // DEP-5: paragraphs of fields, and lines that go on begin with a blank.
  for (const line of text.split('\n')) assert.match(line, /^$|^ \S|^ {2}|^[A-Z][A-Za-z-]+:( |$)/);
});

test('the shell scripts are what every sh understands', { skip: without('dash') }, () => {
  for (const name of ['init', 'service', 'settings', 'preinst', 'postinst', 'prerm', 'postrm', 'default']) {
    execFileSync('dash', ['-n', path.join(packaging, name)]);
  }
});

test('shellcheck has nothing to say about them', { skip: without('shellcheck') }, () => {
  const scripts = ['init', 'service', 'settings', 'preinst', 'postinst', 'prerm', 'postrm'];
  // What is sourced is not there yet, and what is set in it is used elsewhere.
  const { stdout } = spawnSync(
    'shellcheck',
    ['-s', 'sh', '-S', 'warning', '-e', 'SC1090,SC1091,SC2034', ...scripts],
    {
      cwd: packaging,
      encoding: 'utf8',
    },
  );
  assert.equal(stdout, '');
});

test('the sandbox of the unit is scored 3.0 at most', { skip: without('systemd-analyze') }, t => {
  const unit = path.join(packaging, 'gbrowse-aws-balancer.service');
  const { stdout, status } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--threshold=30', unit],
    {
      encoding: 'utf8',
    },
  );
  if (stdout === '') return t.skip('this systemd-analyze does not score a file');
  assert.equal(status, 0, stdout.trim().split('\n').at(-1));
});
