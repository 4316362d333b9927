import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { type ArgsDef, parseArgs } from 'citty';
import fc from 'fast-check';
import { type CommandLine, resolveOptions } from '../../src/cli/getopt.ts';

const ORIGINAL = {
  access_key: 'KEY',
  secret_key: 'KEY',
  conf: 'FILE',
  pidfile: 'FILE',
  logfile: 'FILE',
  user: 'NAME',
  verbosity: 'LEVEL',
  background: undefined,
  kill: undefined,
  ssh_key: 'NAME',
};

const commandLine: CommandLine = {
  commands: [
    { name: 'run' },
    { name: 'sync' },
    { name: 'status' },
    { name: 'check' },
    { name: 'simulate', words: 1 },
    { name: 'gc' },
    { name: 'iam-policy' },
  ],
  options: [
    ...Object.entries(ORIGINAL).map(([name, value]) => ({
      name,
      ...(value !== undefined && { value }),
      original: true,
      ...(/^(access|secret)_key$/.test(name) && { secret: true }),
      ...(name === 'secret_key' && { abbreviations: ['s'] }),
    })),
    { name: 'keep-slaves', commands: ['run'] },
    { name: 'dry-run', commands: ['run'] },
    { name: 'log-format', value: 'text|json' },
    { name: 'metrics-file', value: 'PATH', commands: ['run'] },
    { name: 'mysql', value: 'DIR', commands: ['sync'] },
    { name: 'postgres', value: 'DIR', commands: ['sync'] },
    { name: 'json', commands: ['status', 'check'] },
    { name: 'help', abbreviations: ['h'] },
    { name: 'version' },
  ],
};

function resolve(...argv: string[]): ReturnType<typeof resolveOptions> {
  return resolveOptions(argv, commandLine);
}

function refusal(argv: readonly string[]): string {
  try {
    resolveOptions(argv, commandLine);
  } catch (error) {
    assert.ok(error instanceof Error && 'exitStatus' in error, String(error));
    assert.equal(error.exitStatus, 2);
    return error.message;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

describe('the command line', () => {
  const accepted: [argv: string, args: string[], command?: string][] = [
    // The manual's own examples.
    [
      '--conf /etc/gbrowse2/aws_balancer.conf --access_key XYZZY --secret_key Plugh',
      ['--conf=/etc/gbrowse2/aws_balancer.conf', '--access_key=XYZZY', '--secret_key=Plugh'],
    ],
    [
      '--background --conf C --access_key XYZZY --secret_key Plugh --logfile L --pidfile /var/run/ --user nobody',
      [
        '--background',
        '--conf=C',
        '--access_key=XYZZY',
        '--secret_key=Plugh',
        '--logfile=L',
        '--pidfile=/var/run/',
        '--user=nobody',
      ],
    ],
    ['--kill --conf C --pidfile P', ['--kill', '--conf=C', '--pidfile=P']],
    ['--access_key XYZZY --ssh_key John_Doe_default', ['--access_key=XYZZY', '--ssh_key=John_Doe_default']],
    ['-ssh_key John_Doe_default', ['--ssh_key=John_Doe_default']],
    ['sync -c /etc/C -mysql /var/lib/mysql', ['--conf=/etc/C', '--mysql=/var/lib/mysql'], 'sync'],
    ['sync --postgres D --mysql E', ['--postgres=D', '--mysql=E'], 'sync'],
    ['-a XYZZY', ['--access_key=XYZZY']],
    // Debian's init script.
    [
      '--background --conf C --verbosity 3 --log L --pid P --user U --access A --secret S',
      [
        '--background',
        '--conf=C',
        '--verbosity=3',
        '--logfile=L',
        '--pidfile=P',
        '--user=U',
        '--access_key=A',
        '--secret_key=S',
      ],
    ],
    [
      '--conf C --pid P --access A --secret S -k',
      ['--conf=C', '--pidfile=P', '--access_key=A', '--secret_key=S', '--kill'],
    ],
    // Nothing at all.
    ['', []],
    ['status', [], 'status'],
    // Abbreviations that also fit a new option.
    ['-k', ['--kill']],
    ['-l L', ['--logfile=L']],
    ['--log L', ['--logfile=L']],
    ['--log-f json', ['--log-format=json']],
    ['-s S', ['--secret_key=S']],
    ['--ss K', ['--ssh_key=K']],
    ['-v 2', ['--verbosity=2']],
    ['-V 2', ['--verbosity=2']],
    ['--ver 2', ['--verbosity=2']],
    ['--vers', ['--version']],
    ['--version', ['--version']],
    ['-h', ['--help']],
    ['sync --help', ['--help'], 'sync'],
    ['--ke', ['--keep-slaves']],
    ['-m F', ['--metrics-file=F']],
    ['sync -m D', ['--mysql=D'], 'sync'],
    ['sync -p P --po D', ['--pidfile=P', '--postgres=D'], 'sync'],
    // Spellings.
    ['--ACCESS-Key=K --Dry_Run', ['--access_key=K', '--dry-run']],
    ['--conf=a=b', ['--conf=a=b']],
    // Places.
    ['--conf C status --json', ['--conf=C', '--json'], 'status'],
    ['-mysql D sync', ['--mysql=D'], 'sync'],
    ['--json status', ['--json'], 'status'],
    ['-c C -- status', ['--conf=C'], 'status'],
    ['simulate access.log -c C', ['--conf=C', '--', 'access.log'], 'simulate'],
    ['simulate -c C -- --odd.log', ['--conf=C', '--', '--odd.log'], 'simulate'],
    ['simulate -', ['--', '-'], 'simulate'],
    // The next word is the value, whatever it looks like; the last one counts.
    ['-c --kill --user -- --pid -', ['--conf=--kill', '--user=--', '--pidfile=-']],
    ['-c status', ['--conf=status']],
    ['-c A --kill -c B --kill', ['--conf=B', '--kill']],
  ];
  for (const [argv, args, command] of accepted) {
    it(`is understood: ${argv || '(nothing)'}`, () => {
      const words = argv.split(' ').filter(word => word !== '');
      assert.deepEqual(resolve(...words), { ...(command !== undefined && { command }), args });
    });
  }

  it('may give an empty word for a value', () => {
    assert.deepEqual(resolve('--user', '', '-k'), { args: ['--user=', '--kill'] });
  });

  const commands = 'run, sync, status, check, simulate, gc, iam-policy';
  const refused: [argv: string, message: string][] = [
    ['--conf', '--conf needs a value: --conf FILE'],
    ['--conf= C', '--conf needs a value: --conf FILE'],
    ['-V', '--verbosity needs a value: --verbosity LEVEL'],
    ['--kill=3', '--kill takes no value'],
    ['--kill=', '--kill takes no value'],
    ['check --po=2', '--postgres is not an option of check, but of sync'],
    ['--usr me', 'unknown option "--usr", did you mean --user?'],
    ['-x', 'unknown option "-x"'],
    ['-=x', 'unknown option "-"'],
    ['--=x', 'unknown option "--"'],
    ['---kill', 'unknown option "---kill", did you mean --kill?'],
    ['-\u001b[31m', 'unknown option "-\uFFFD[31m"'],
    ['--json', '--json is not an option of run, but of status, check'],
    ['gc --mysql D', '--mysql is not an option of gc, but of sync'],
    ['--mysql D gc', '--mysql is not an option of gc, but of sync'],
    ['stauts', 'unknown command "stauts", did you mean status?'],
    ['Sync', 'unknown command "Sync", did you mean sync?'],
    [
      '-k start',
      `word 2 of the command line (not shown, it could be a secret) is not a command, expected one of ${commands}; see --help`,
    ],
    [
      'status now',
      'word 2 of the command line (not shown, it could be a secret) is one word too many for status; see status --help',
    ],
    [
      'simulate a b',
      'word 3 of the command line (not shown, it could be a secret) is one word too many for simulate; see simulate --help',
    ],
  ];
  for (const [argv, message] of refused) {
    it(`is refused: ${JSON.stringify(argv)}`, () => {
      assert.equal(refusal(argv.split(' ')).replace(/, expected one of --.*/, ''), message);
    });
  }

  it('names the options that the command has instead of an unknown one', () => {
    assert.equal(
      refusal(['gc', '--foo']),
      'unknown option "--foo", expected one of --access_key, --secret_key, --conf, --pidfile, --logfile, --user, ' +
        '--verbosity, --background, --kill, --ssh_key, --log-format, --help, --version; see --help',
    );
  });

  it('names the candidates of an ambiguous abbreviation', () => {
    const twins: CommandLine = {
      commands: [{ name: 'run' }],
      options: [{ name: 'dry-run' }, { name: 'drain', value: 'TIME' }],
    };
    assert.throws(() => resolveOptions(['--dr'], twins), {
      message: '"--dr" is ambiguous, expected one of --dry-run, --drain',
    });
  });
});

describe('a secret', () => {
  const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE';
  const mistakes: string[][] = [
    [`--secretkee=${secret}`],
    ['--secretkee', secret],
    [`-s${secret}`],
    [`-S${secret}`],
    [`-a${secret}`],
    [`--secret${secret}`],
    [`--secret_key${secret}`],
    [`--secret-key:${secret}`],
    [`-secret_key${secret}`],
    ['status', `-s${secret}`],
    ['--access_key=', secret],
    ['--access_key', 'X', secret],
    ['status', secret],
    [secret],
    [`--kill=${secret}`],
    ['--secret_key', secret, '--foo'],
    ['--secret_key', secret, '--json'],
    ['--', secret],
  ];
  for (const argv of mistakes) {
    it(`is not repeated in the message about ${argv.join(' ').replace(secret, 'SECRET')}`, () => {
      assert.doesNotMatch(refusal(argv), /wJalr|jalr/i);
    });
  }

  it('that was mistyped as an option still shows which option that was', () => {
    assert.equal(
      refusal(['--secretkee=AKIAIOSFODNN7EXAMPLE']),
      'unknown option "--secretkee", did you mean --secret_key?',
    );
    assert.match(refusal(['-sPlugh']), /^unknown option "-s…", expected one of --access_key, /);
  });
});

/** A spelling of an option: a prefix in any case, with one dash or two. */
const spelling = fc
  .record({
    name: fc.constantFrom(...Object.keys(ORIGINAL)),
    length: fc.nat(10),
    capitals: fc.array(fc.boolean(), { minLength: 11, maxLength: 11 }),
    dashes: fc.constantFrom('-', '--'),
  })
  .map(({ name, length, capitals, dashes }) => {
    const prefix = name.slice(0, length + 1);
    const word = [...prefix].map((letter, at) => (capitals[at] ? letter.toUpperCase() : letter)).join('');
    return { name, prefix, word: dashes + word };
  });

/** Words that hold anything, for values. */
const anything = fc.oneof(
  fc.string(),
  fc.constantFrom('--', '-', '-k', '--no-kill', '--conf=x', 'status', '=', 'a=b', '--__proto__=1'),
);

const ARGS: ArgsDef = Object.fromEntries(
  commandLine.options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
);

describe('Getopt::Long', () => {
  it('is followed in every abbreviation, case, dash and hyphen that is not ambiguous in the original', () => {
    fc.assert(
      fc.property(spelling, fc.boolean(), ({ name, prefix, word }, hyphens) => {
        const takesValue = commandLine.options.find(option => option.name === name)?.value !== undefined;
        const { args } = resolve(hyphens ? word.replaceAll('_', '-') : word, ...(takesValue ? ['x'] : []));
        const meant = prefix === 's' ? 'secret_key' : name;
        assert.deepEqual(args, [takesValue ? `--${meant}=x` : `--${meant}`]);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the same as Perl's own, for any command line of the original", () => {
    const word = fc.oneof(
      { weight: 4, arbitrary: spelling.filter(({ prefix }) => prefix !== 's').map(one => one.word) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(spelling, fc.constantFrom('', 'x', 'a=b', '-k'))
          .filter(([{ prefix }]) => prefix !== 's')
          .map(([one, value]) => `${one.word}=${value}`),
      },
      { weight: 2, arbitrary: fc.constantFrom('value', '', '--', '-', '--xyz', '-x=1') },
    );
    const lines = fc.sample(fc.array(word, { maxLength: 6 }), 400);
    const answers = askPerl(lines);
    assert.equal(answers.length, lines.length);
    for (const [at, argv] of lines.entries()) {
      assert.equal(ourAnswer(argv), answers[at], JSON.stringify(argv));
    }
  });
});

describe('citty', () => {
  it('reads from the words that it is given exactly the values that were meant', () => {
    const options = commandLine.options.filter(option => option.commands?.includes('run') ?? true);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...options), anything), { maxLength: 6 }), given => {
        const argv = given.flatMap(([{ name, value }, word]) =>
          value === undefined ? [`--${name}`] : [`-${name}`, word],
        );
        const parsed = parseArgs(resolve(...argv).args, ARGS);
        for (const { name, value } of options) {
          const last = given.findLast(([option]) => option.name === name);
          assert.equal(parsed[name], last && (value === undefined ? true : last[1]));
        }
        assert.deepEqual(parsed._, []);
      }),
      { numRuns: 300 },
    );
  });

  it('gets the words besides options as they were', () => {
    fc.assert(
      fc.property(anything, word => {
        assert.deepEqual(parseArgs(resolve('simulate', '--', word).args, ARGS)._, [word]);
      }),
    );
  });
});

/** `name=value` of every option in alphabetical order, or `refused`; a word that is left over is a refusal for us. */
function ourAnswer(argv: readonly string[]): string {
  try {
    const { args } = resolveOptions(argv, commandLine);
    return args
      .map(arg => (arg.includes('=') ? arg : `${arg}=1`).slice(2))
      .toSorted()
      .join(' ');
  } catch {
    return 'refused';
  }
}

function askPerl(lines: readonly (readonly string[])[]): string[] {
  const script = `
    use strict; use warnings; use Getopt::Long 'GetOptionsFromArray';
    $SIG{__WARN__} = sub {};
    while (my $line = <STDIN>) {
      chomp $line;
      my @argv = map { pack 'H*', substr $_, 1 } split / /, $line;
      my %given;
      my $ok = GetOptionsFromArray(\\@argv, \\%given, qw(${Object.entries(ORIGINAL)
        .map(([name, value]) => (value === undefined ? name : `${name}=s`))
        .join(' ')}));
      print $ok && !@argv ? join(' ', sort map { "$_=$given{$_}" } keys %given) : 'refused', "\\n";
    }`;
  const input = lines.map(argv => argv.map(word => `x${Buffer.from(word).toString('hex')}`).join(' '));
  const output = execFileSync('perl', ['-e', script], { input: `${input.join('\n')}\n`, encoding: 'utf8' });
  return output.split('\n').slice(0, -1);
}
