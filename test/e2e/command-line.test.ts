import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, PROGRAM, run, SECRET, until } from './world.ts';

const PLAIN = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };

const directory = mkdtempSync(path.join(tmpdir(), 'command-line-'));
const GOOD = path.join(directory, 'aws_balancer.conf');
const MANUAL = readFileSync(path.join(import.meta.dirname, '../config/fixtures/manual.conf'), 'utf8');
writeFileSync(GOOD, MANUAL.replace('[MASTER]', `[MASTER]\nstate_directory = ${directory}/state`));
after(() => rmSync(directory, { recursive: true }));

describe('the command line', { concurrency: 4 }, () => {
  for (const [words, status, saying] of [
    [['--version'], 0, /^gbrowse-aws-balancer \d+\.\d+\.\d+\n$/],
    [['--help'], 0, /Usage(.*\n)*.*--access_key(.*\n)*.*--keep-slaves/],
    [['-h'], 0, /Usage/],
    [['help', 'gc'], 0, /Usage(.*\n)*.*--all-masters/],
    [['help'], 0, /Commands(.*\n)*.*iam-policy/],
    [['version'], 0, /^gbrowse-aws-balancer \d/],
    [['-V'], 0, /^gbrowse-aws-balancer \d/],
    [['start'], 2, /type "service gbrowse-aws-balancer start"/],
    [['--verbosity', '--conf', 'X'], 2, /^--verbosity needs a value: --verbosity 0-3\n$/],
    [['run', '--help'], 0, /Usage(.*\n)*.*--background/],
    [['gc', '--help'], 0, /Usage(.*\n)*.*--yes(.*\n)*.*--all-masters/],
    [['gc', '--pidfile', 'x'], 2, /^--pidfile is not an option of gc, but of run\n$/],
    [['gc', '--conf', '/nonexistent/x.conf'], 2, /^\/nonexistent\/x\.conf: there is no such file\n$/],
    [['--frobnicate'], 2, /^unknown option "--frobnicate", expected one of --access_key/],
    [['--verbose', '2'], 2, /^unknown option "--verbose", did you mean --verbosity\?\n$/],
    [['-k'], 2, /^--kill needs the --pidfile/],
    [['-LOG'], 2, /^--logfile needs a value: --logfile FILE\n$/],
    [['-ssh-key'], 2, /^--ssh_key needs a value: --ssh_key NAME\n$/],
    [['--conf'], 2, /^--conf needs a value: --conf FILE\n$/],
    [['--kill=yes'], 2, /^--kill takes no value\n$/],
    [['--verbosity', '4'], 2, /^--verbosity is "4", expected one of 0, 1, 2, 3\n$/],
    [['--log-format', 'xml'], 2, /^--log-format is "xml", expected one of text, json\n$/],
    [['launch'], 2, /is not a command, expected one of run, .*, gc, .*iam-policy;/],
    [['--kill'], 2, /^--kill needs the --pidfile/],
    [['--keep-slaves'], 2, /^--keep-slaves can only be used with --kill\n$/],
    [
      ['--kill', '--pidfile', '/nonexistent/pid'],
      1,
      /no gbrowse-aws-balancer is running with it|does not exist/,
    ],
    [['--conf', '/nonexistent/x.conf'], 2, /^\/nonexistent\/x\.conf: there is no such file\n$/],
    [['--user', 'nobody-of-that-name', '--conf', '/dev/null'], 2, /no user of that name/],
    [['--logfile', '/nonexistent/log', '--conf', GOOD], 1, /log file \/nonexistent\/log: its directory/],
    [['--pidfile', '/tmp/', '--conf', '/dev/null'], 2, /--pidfile \/tmp\/ is a directory/],
  ] as const) {
    test(`gbrowse-aws-balancer ${words.join(' ').replace(directory, '')}: status ${status}`, async () => {
      const program = run(words, PLAIN);
      assert.equal(await program.ended(), status);
      const [said, silent] =
        status === 0 ? [program.stdout(), program.stderr()] : [program.stderr(), program.stdout()];
      assert.match(said, saying);
      assert.equal(silent, '');
      assert.doesNotMatch(said, / $/m);
      assert.ok(!said.includes('\u001b'), 'no colours in a pipe');
    });
  }
});

describe('what cannot be written', { concurrency: 4 }, () => {
  const shell = (command: string) =>
    spawnSync('bash', ['-c', command], {
      encoding: 'utf8',
      env: { ...PLAIN, GBA: PROGRAM, AWS_REGION: 'us-west-2' },
    });

  test('a full disk: one sentence, status 1', () => {
    for (const words of ['--help', 'simulate --trace burst']) {
      const { status, stderr } = shell(`$GBA ${words} >/dev/full`);
      assert.equal(status, 1);
      assert.match(stderr, /^the standard output cannot be written: ENOSPC[^\n]*\n$/);
    }
  });

  test('a reader that has seen enough: nothing is said, and the status is that of the command', () => {
    for (const words of ['--help', 'simulate --trace burst', 'simulate --trace burst --json']) {
      const { stdout, stderr } = shell(`$GBA ${words} | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`);
      assert.deepEqual([stdout, stderr], ['0\n', ''], words);
    }
  });

  test('a limit of open files that is too low for a run: one sentence that names it, status 1', () => {
    for (const limit of [25, 40]) {
      const { status, stderr } = shell(`ulimit -n ${limit}; $GBA --conf /nonexistent`);
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(`^this process may open only ${limit} files, and needs 64 at least; raise[^\n]*\n$`),
      );
    }
  });

  test('a page in a directory that does not exist: a sentence that names the directory', () => {
    const { status, stderr } = shell('$GBA simulate --trace burst --html /no/such/x');
    assert.equal(status, 1);
    assert.match(stderr, /^\/no\/such\/x cannot be written: there is no directory \/no\/such; create it/);
  });
});

const skip = ec2Missing();

describe('the start', { skip, concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(0)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  for (const [what, more] of [
    ['in the foreground', []],
    ['in the background', ['--background']],
  ] as const) {
    test(`a broken configuration ${what}: every mistake with its line, status 2`, async t => {
      const name = `broken-${more.length}`;
      const master = createMaster(t, { ec2, name, statusUrl: apache.url });
      master.configure({ poll_interval: 'abc', spot_bid: '-1', ports: '8101 99999' });
      writeFileSync(master.confFile, readFileSync(master.confFile, 'utf8').replace('1       1   2', '1 3 2'));
      const balancer = master.start(...more);
      assert.equal(await balancer.ended(), 2);
      const lines = balancer.stderr().trim().split('\n');
      assert.equal(lines.length, 4, balancer.stderr());
      for (const line of lines) {
        assert.ok(line.startsWith(`${master.confFile}:`), line);
        assert.match(line, /:\d+: .*expected /);
      }
      await until('nothing runs', () => master.processes().length === 0);
      assert.deepEqual(await master.account.calls(), []);
    });

    test(`no region ${what}: it says what is missing, status 2`, async t => {
      const name = `no-region-${more.length}`;
      const options = { region: undefined };
      const master = createMaster(t, { ec2, name, statusUrl: apache.url, options });
      const balancer = master.start(...more);
      assert.equal(await balancer.ended(), 2);
      assert.match(balancer.stderr(), /aws_balancer\.conf: \[SLAVE\] region is not set/);
    });

    test(`no credentials ${what}: it says where they are looked for, status 1`, async t => {
      const master = createMaster(t, { ec2, name: `no-keys-${more.length}`, statusUrl: apache.url });
      const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
      const balancer = master.run(['--conf', master.confFile, ...more], environment);
      assert.equal(await balancer.ended(), 1);
      assert.match(
        balancer.stderr(),
        /no AWS credentials: give --access_key and --secret_key, or set EC2_ACCESS_KEY/,
      );
    });
  }

  test('an access key without its secret: it says which is missing, status 2', async t => {
    const master = createMaster(t, { ec2, name: 'half', statusUrl: apache.url });
    const balancer = master.start('-a', 'AKIAHALF');
    assert.equal(await balancer.ended(), 2);
    assert.match(balancer.stderr(), /access key but no secret key/);
  });

  const KEYS = [
    [
      'the options, in the manual’s spelling',
      key => ['--access_key', key, '--secret_key', SECRET],
      () => ({}),
    ],
    ['abbreviated options', key => [`-a=${key}`, '--secret', SECRET], () => ({})],
    ['EC2_ACCESS_KEY and EC2_SECRET_KEY', () => [], key => ({ EC2_ACCESS_KEY: key, EC2_SECRET_KEY: SECRET })],
    [
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      () => [],
      key => ({ AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: SECRET }),
    ],
    ['a profile of ~/.aws/credentials', () => [], () => ({ AWS_PROFILE: 'gbrowse' })],
  ] as const satisfies readonly (readonly [
    string,
    (key: string) => string[],
    (key: string) => Record<string, string>,
  ])[];
  KEYS.forEach(([source, words, variables], index) => {
    test(`credentials from ${source}`, async t => {
      const master = createMaster(t, { ec2, name: `keys${index}`, statusUrl: apache.url });
      const { accessKey } = master.account;
      const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
      mkdirSync(path.join(master.directory, '.aws'));
      writeFileSync(
        path.join(master.directory, '.aws/credentials'),
        `[gbrowse]\naws_access_key_id = ${accessKey}\naws_secret_access_key = ${SECRET}\n`,
      );
      const env = { ...environment, ...variables(accessKey) };
      const balancer = master.run(['--conf', master.confFile, ...words(accessKey)], env);
      await until('EC2 is asked with that key', async () => (await master.account.calls()).length > 0);
      await balancer.said(/watching/);
      balancer.signal('SIGTERM');
      assert.equal(await balancer.ended(), 0);
    });
  });

  test('the region may come from AWS_REGION', async t => {
    const options = { region: undefined };
    const master = createMaster(t, { ec2, name: 'aws-region', statusUrl: apache.url, options });
    const env = { ...master.environment, AWS_REGION: 'eu-west-1' };
    const balancer = master.run(['--conf', master.confFile], env);
    const call = await until('EC2 is asked', async () => (await master.account.calls())[0]);
    assert.equal(call.region, 'eu-west-1');
    balancer.signal('SIGTERM');
    await balancer.ended();
  });

  test('Ctrl-C before anything was launched: it ends, and EC2 was only read', async t => {
    const master = createMaster(t, { ec2, name: 'ctrl-c', statusUrl: apache.url });
    const balancer = master.start();
    await balancer.said(/watching/);
    balancer.signal('SIGINT');
    assert.equal(await balancer.ended(), 0);
    assert.ok((await master.account.calls()).every(({ action }) => action.startsWith('Describe')));
  });

  test('--log-format json: each line is an object; --verbosity 0: no line when all is well', async t => {
    const master = createMaster(t, { ec2, name: 'formats', statusUrl: apache.url });
    for (const [words, check] of [
      [
        ['--log-format', 'json'],
        (text: string) =>
          assert.ok(
            text
              .trim()
              .split('\n')
              .every(line => JSON.parse(line).level === 'info'),
          ),
      ],
      [['--verbosity', '0'], (text: string) => assert.equal(text, '')],
    ] as const) {
      const since = (await master.account.calls()).length;
      const balancer = master.start(...words);
      await until('it works', async () => (await master.account.calls()).length > since);
      balancer.signal('SIGTERM');
      assert.equal(await balancer.ended(), 0);
      check(balancer.stderr());
    }
  });
});
