/**
 * Runs groups of tests one after the other, goes on when tests fail, and ends with a summary.
 *     npm test                     all groups but those that are run apart
 *     npm test -- GROUP|FILE …     some groups, or some files
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { RESULT } from '../cloud/gbrowse/tally.ts';
import { GROUPS, type Group } from './groups.ts';
import { type Failure, type Result, succeeded, summary } from './summary.ts';

const NONE = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, suites: 0 };

const root = path.resolve(import.meta.dirname, '../..');
const groups = chosen(parseArgs({ allowPositionals: true }).positionals);
process.env.TEST_SEED ??= String(Date.now() % 1_000_000_000);
say(`seed ${process.env.TEST_SEED}; TEST_SEED=${process.env.TEST_SEED} draws the same again`);
const results: Result[] = [];
if (groups.some(it => it.executable)) {
  say('build: the executable that tests run');
  const { status } = spawnSync(process.execPath, ['build/build.ts'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) results.push(notBuilt());
}
rmSync(RESULT, { force: true });
for (const group of groups) {
  if (group.executable && results.some(it => it.group === 'build')) continue;
  say(`${group.name}: ${group.what}`);
  results.push(await runGroup(group));
}
if (existsSync(RESULT)) process.stdout.write(`\n${readFileSync(RESULT, 'utf8')}`);
process.stdout.write(summary(results));
process.exit(results.every(succeeded) ? 0 : 1);

function chosen(words: readonly string[]): readonly Group[] {
  if (words.length === 0) return GROUPS.filter(it => it.apart !== true);
  // A group may be called like a directory.
  const isFile = (word: string) => !GROUPS.some(it => it.name === word) && existsSync(word);
  const files = words.filter(isFile).map(it => path.relative(root, path.resolve(it)));
  const names = words.filter(word => !isFile(word));
  const unknown = names.find(name => !GROUPS.some(it => it.name === name));
  if (unknown !== undefined) {
    const known = GROUPS.map(it => it.name).join(', ');
    process.stderr.write(`${unknown} is neither a file nor a group of tests (${known}).\n`);
    process.exit(2);
  }
  const named = GROUPS.filter(it => names.includes(it.name));
  if (files.length === 0) return named;
  return [...named, { name: 'files', what: files.join(' '), files, concurrency: 2, executable: false }];
}

async function runGroup({ name, files, concurrency }: Group): Promise<Result> {
  const since = performance.now();
  const failures: Failure[] = [];
  const skips: string[] = [];
  const took: { file: string; duration: number }[] = [];
  const stream = run({
    globPatterns: [...files],
    cwd: root,
    concurrency,
    execArgv: ['--import', path.join(import.meta.dirname, 'seed.ts')],
  });
  stream.on('test:fail', ({ name, file, line, details }) => {
    // A suite fails because one of its tests does.
    if (details.type !== 'suite') failures.push({ name, file: path.relative(root, file ?? ''), line });
  });
  stream.on('test:pass', ({ skip }) => {
    if (skip !== undefined && skip !== false) skips.push(skip === true ? 'no reason given' : skip);
  });
  let counts: Result['counts'] = NONE;
  stream.on('test:summary', event => {
    if (event.file === undefined) counts = { failed: failures.length, ...event.counts };
    else took.push({ file: path.relative(root, event.file), duration: event.duration_ms });
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(String(text));
  const slowest = took.sort((a, b) => b.duration - a.duration).slice(0, 3);
  return { group: name, counts, failures, skips, slowest, duration: performance.now() - since };
}

function notBuilt(): Result {
  const failures = [{ name: 'the executable cannot be built', file: 'build/build.ts', line: undefined }];
  return {
    group: 'build',
    counts: { ...NONE, tests: 1, failed: 1 },
    failures,
    skips: [],
    slowest: [],
    duration: 0,
  };
}

function say(message: string): void {
  process.stdout.write(`\n=== ${message} (${new Date().toISOString().slice(11, 19)} UTC)\n`);
}
