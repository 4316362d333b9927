import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { CommandName } from '../../src/cli/commands.ts';
import { resolveOptions } from '../../src/cli/getopt.ts';
import { readOptions } from '../../src/cli/given.ts';
import { COMMAND_LINE } from '../../src/cli/options.ts';

function given(command: CommandName, ...words: readonly string[]) {
  return readOptions(command, resolveOptions([command, ...words], COMMAND_LINE).args);
}

describe('the options of a command', () => {
  it('have their defaults, flags are false, and options that were not given are absent', () => {
    assert.deepEqual(given('run'), {
      background: false,
      dryRun: false,
      help: false,
      keepSlaves: false,
      kill: false,
      logFormat: 'text',
      verbosity: 2,
      version: false,
      words: [],
    });
  });

  it('are read as what they mean', () => {
    const { conf, pidfile, verbosity, logFormat } = readOptions('run', [
      '--conf=a/b.conf',
      '--pidfile=run/',
      '--verbosity=3',
      '--log-format=json',
    ]);
    assert.deepEqual(
      [conf, pidfile, verbosity, logFormat],
      [path.resolve('a/b.conf'), `${path.resolve('run')}/`, 3, 'json'],
    );
  });

  it('of the original may be blank, as scripts give them whose variable is not set', () => {
    const options = ['access_key', 'secret_key', 'conf', 'pidfile', 'logfile', 'user', 'ssh_key'];
    assert.deepEqual(given('run', ...options.flatMap(name => [`--${name}`, ''])), given('run'));
  });

  const refused: readonly [CommandName, string, RegExp][] = [
    ['run', '--verbosity 4', /^--verbosity is "4", expected one of 0, 1, 2, 3$/],
    ['run', '--verbosity --conf X', /^--verbosity needs a value: --verbosity 0-3$/],
    ['run', '--log-format xml', /^--log-format is "xml", expected one of text, json$/],
    ['sync', '--keep 0', /^--keep is "0", expected a whole number from 1 to 1000$/],
    ['sync', '--verbosity -v', /^--verbosity needs a value/],
    ['sync', '--mysql ', /^--mysql needs a value: --mysql DIR$/],
    ['check', '--timeout 1', /^--timeout is "1", expected a number of seconds from 2 to 600$/],
    ['check', '--timeout soon', /^--timeout is "soon", expected/],
    ['simulate', '--speed fast', /^--speed is "fast", expected a number from 0.01 to 1000$/],
    [
      'simulate',
      '--interruptions -1',
      /^--interruptions is "-1", expected a number of interruptions an hour/,
    ],
    ['simulate', '--fixed 1.5', /^--fixed is "1.5", expected a whole number of slaves from 0 to 1000$/],
    ['simulate', '--trace month', /^--trace is "month", expected one of day, burst, week$/],
    ['simulate', '--trace --json', /^--trace needs a value: --trace day\|burst\|week$/],
  ];
  for (const [command, words, message] of refused) {
    it(`are checked: ${command} ${words}`, () => {
      assert.throws(() => given(command, ...words.split(' ')), { message, exitStatus: 2 });
    });
  }
});

describe('words that people try', () => {
  for (const [word, advice] of [
    ['start', /type "service gbrowse-aws-balancer start"/],
    ['stop', /type "service gbrowse-aws-balancer stop".*--kill --pidfile FILE/],
    ['restart', /type "service gbrowse-aws-balancer restart"/],
    ['reload', /type "service gbrowse-aws-balancer reload"/],
  ] as const) {
    it(`${word}: the message says what to type`, () => {
      assert.throws(() => resolveOptions([word], COMMAND_LINE), { message: advice, exitStatus: 2 });
    });
  }

  it('what follows -- is the command of ssh, whatever it looks like', () => {
    for (const [typed, words] of [
      [
        ['1', '--', 'ls', '--help'],
        ['1', '--', 'ls', '--help'],
      ],
      [
        ['--', 'df', '-h'],
        ['--', 'df', '-h'],
      ],
      [
        ['--', 'a', '--', 'b'],
        ['--', 'a', '--', 'b'],
      ],
      [['1'], ['1']],
    ] as const) {
      const { help, words: read } = given('ssh', ...typed);
      assert.deepEqual([help, read], [false, words]);
    }
    assert.throws(() => given('ssh', '1', 'df'), /one word too many for ssh/);
  });

  it('-V at the end is --version, and the verbosity of the original before a value', () => {
    assert.deepEqual(resolveOptions(['-V'], COMMAND_LINE).args, ['--version']);
    assert.deepEqual(resolveOptions(['status', '-V'], COMMAND_LINE).args, ['--version']);
    assert.deepEqual(resolveOptions(['-V', '3'], COMMAND_LINE).args, ['--verbosity=3']);
  });
});
