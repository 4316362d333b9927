import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { isUserError } from '../../src/errors.ts';
import { createLog, type LogOptions, type OpenLog } from '../../src/log/create.ts';

function directory(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'gbrowse-log-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A log whose output is collected. */
function collect(options: Partial<LogOptions> & { isTTY?: boolean } = {}): { log: OpenLog; text(): string } {
  let text = '';
  const stream = {
    isTTY: options.isTTY ?? false,
    write: (more: string) => {
      text += more;
    },
  };
  return {
    log: createLog({ verbosity: 3, format: 'text', stream, environment: {}, ...options }),
    text: () => text,
  };
}

function sayAll(log: OpenLog): void {
  log.debug('debug');
  log.info('info');
  log.warn('warn');
  log.error('error');
}

test('each level of verbosity adds one kind of message', () => {
  const cases: [number, string[]][] = [
    [0, ['error']],
    [1, ['warn', 'error']],
    [2, ['info', 'warn', 'error']],
    [3, ['debug', 'info', 'warn', 'error']],
  ];
  for (const [verbosity, expected] of cases) {
    const { log, text } = collect({ verbosity, format: 'json' });
    sayAll(log);
    const seen = text()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).message);
    assert.deepEqual(seen, expected, `verbosity ${verbosity}`);
  }
});

test('colours are for a terminal that wants them', () => {
  const cases: [boolean, NodeJS.ProcessEnv, boolean][] = [
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ];
  for (const [isTTY, environment, colours] of cases) {
    const { log, text } = collect({ isTTY, environment });
    log.info('ready');
    assert.equal(text().includes('\x1b['), colours, JSON.stringify({ isTTY, environment }));
  }
});

test('a pipe gets plain lines, and JSON is JSON on a terminal too', () => {
  const plain = collect();
  plain.log.info('ready');
  assert.match(plain.text(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO {2}ready\n$/);
  const json = collect({ isTTY: true, format: 'json' });
  json.log.info('ready', { slaves: 2 });
  assert.partialDeepStrictEqual(JSON.parse(json.text()), { level: 'info', message: 'ready', slaves: 2 });
});

test('the same message ten times is ten lines', () => {
  const { log, text } = collect();
  for (let i = 0; i < 10; i += 1) log.info('again');
  assert.equal(text().match(/again/g)?.length, 10);
});

test('a secret is hidden in messages and in fields', () => {
  const { log, text } = collect({ format: 'json', secrets: ['Plugh', undefined] });
  log.hide('XYZZY');
  log.error('refused for XYZZY with Plugh', { key: 'Plugh', all: ['XYZZY', 'b'], count: 3 });
  assert.partialDeepStrictEqual(JSON.parse(text()), {
    message: 'refused for *** with ***',
    key: '***',
    all: ['***', 'b'],
    count: 3,
  });
});

test('a log file is appended to, and after logrotate the new one is written', t => {
  const file = path.join(directory(t), 'balancer.log');
  writeFileSync(file, 'from last time\n');
  const log = createLog({ verbosity: 2, format: 'text', file });
  t.after(log.close);
  log.info('first');
  renameSync(file, `${file}.1`);
  log.info('second');
  log.reopen();
  log.info('third');
  assert.match(readFileSync(`${file}.1`, 'utf8'), /^from last time\n.* first\n.* second\n$/);
  assert.match(readFileSync(file, 'utf8'), /^.* third\n$/);
});

test('a full disk loses messages, not the balancer, and the log says so once when it works again', t => {
  const file = path.join(directory(t), 'balancer.log');
  symlinkSync('/dev/full', file);
  const log = createLog({ verbosity: 2, format: 'text', file });
  t.after(log.close);
  log.info('one');
  log.info('two');
  rmSync(file);
  log.reopen();
  log.info('three');
  log.info('four');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? '', /WARN {2}2 messages are missing here: .*ENOSPC/);
  assert.match(lines[1] ?? '', /INFO {2}three$/);
});

test('a log file that cannot be written is a warning where somebody reads, once, until it can be', t => {
  const file = path.join(directory(t), 'balancer.log');
  symlinkSync('/dev/full', file);
  const { log, text } = collect({ file });
  t.after(log.close);
  assert.equal(log.trouble(), undefined);
  log.info('one');
  log.info('two');
  const warnings = text()
    .split('\n')
    .filter(line => / WARN /.test(line));
  assert.equal(warnings.length, 1, text());
  assert.match(
    warnings[0] ?? '',
    /the log file .*balancer\.log cannot be written \(ENOSPC\): messages are lost/,
  );
  assert.match(log.trouble() ?? '', /cannot be written \(ENOSPC\)/);
});

test('a line that was cut off does not swallow the next one', t => {
  const file = path.join(directory(t), 'pipe');
  execFileSync('mkfifo', [file]);
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  t.after(() => closeSync(reader));
  const log = createLog({ verbosity: 2, format: 'text', file });
  t.after(log.close);
  // A pipe holds 64 KiB.
  log.info('x'.repeat(100_000));
  readSync(reader, Buffer.alloc(200_000));
  log.info('whole');
  const rest = Buffer.alloc(1_000);
  const lines = rest.toString('utf8', 0, readSync(reader, rest)).split('\n');
  assert.equal(lines.length, 4);
  assert.equal(lines[0], '');
  assert.match(lines[1] ?? '', /1 message is missing here/);
  assert.match(lines[2] ?? '', /^\d{4}.* whole$/);
});

test('a log file that cannot be opened is an error that names it and says why', t => {
  const here = directory(t);
  const cases: [string, RegExp][] = [
    [path.join(here, 'missing', 'log'), /directory does not exist/],
    [here, /is a directory/],
    ['/dev/null/log', /directory does not exist/],
  ];
  for (const [file, reason] of cases) {
    assert.throws(
      () => createLog({ verbosity: 2, format: 'text', file }),
      error =>
        isUserError(error) &&
        error.exitStatus === 1 &&
        error.message.includes(file) &&
        reason.test(error.message),
    );
  }
});

test('when the file cannot be reopened, the log goes on in the old one', t => {
  const here = directory(t);
  const file = path.join(here, 'logs');
  const log = createLog({ verbosity: 2, format: 'text', file });
  t.after(log.close);
  renameSync(file, path.join(here, 'old'));
  symlinkSync(here, file);
  assert.throws(log.reopen, isUserError);
  log.info('still here');
  assert.match(readFileSync(path.join(here, 'old'), 'utf8'), /still here/);
});
