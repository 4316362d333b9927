import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Log } from '../../src/log/log.ts';
import { createMetricsFile } from '../../src/status/metrics-file.ts';

function room(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'metrics-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const log: Log = { error: say, warn: say, info: say, debug: say };
  const file = path.join(directory, 'balancer.prom');
  return { directory, file, said, log };
}

test('the file is replaced, for everyone to read, and nothing is left beside it', async t => {
  const { directory, file, said, log } = room(t);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const metrics = createMetricsFile(file, log);
  await Promise.all(['one\n', 'two\n', 'three\n'].map(text => metrics.write(async () => text)));
  assert.equal(readFileSync(file, 'utf8'), 'three\n');
  assert.equal(statSync(file).mode & 0o7777, 0o644);
  assert.deepEqual(readdirSync(directory), ['balancer.prom']);
  assert.deepEqual(said, []);
  await metrics.remove();
  assert.deepEqual(readdirSync(directory), []);
});

test('a link in its place is replaced, not followed', async t => {
  const { directory, file, log } = room(t);
  const other = path.join(directory, 'passwd');
  writeFileSync(other, 'precious');
  symlinkSync(other, file);
  symlinkSync(other, `${file}.${process.pid}.tmp`);
  const metrics = createMetricsFile(file, log);
  await metrics.write(async () => 'metrics\n');
  assert.equal(readFileSync(other, 'utf8'), 'precious');
  assert.ok(statSync(file).isFile());
  assert.equal(readFileSync(file, 'utf8'), 'metrics\n');
});

test('what cannot be written is said once, and when it can be written again', async t => {
  const { directory, said, log } = room(t);
  const file = path.join(directory, 'not/there/balancer.prom');
  const metrics = createMetricsFile(file, log);
  for (let index = 0; index < 3; index++) await metrics.write(async () => 'metrics\n');
  mkdirSync(path.dirname(file), { recursive: true });
  for (let index = 0; index < 3; index++) await metrics.write(async () => 'metrics\n');
  assert.deepEqual(said, [
    `the metrics file ${file} cannot be written: its directory does not exist`,
    `the metrics file ${file} can be written again`,
  ]);
});

test('a file that is not ours is not removed, and metrics that cannot be made end nothing', async t => {
  const { directory, said, log } = room(t);
  const file = path.join(directory, 'directory.prom');
  mkdirSync(file);
  const metrics = createMetricsFile(file, log);
  await metrics.write(async () => 'metrics\n');
  await metrics.write(() => Promise.reject(new Error('a bug')));
  await metrics.remove();
  assert.ok(existsSync(file));
  assert.deepEqual(said, [
    `the metrics file ${file} cannot be written: it is a directory`,
    `the metrics file ${file} cannot be written: a bug`,
  ]);
  assert.deepEqual(readdirSync(directory), ['directory.prom']);
});

test('a name that node_exporter does not read is a warning', async t => {
  const { directory, said, log } = room(t);
  const metrics = createMetricsFile(path.join(directory, 'metrics.txt'), log);
  await metrics.write(async () => 'metrics\n');
  await metrics.write(async () => 'metrics\n');
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /metrics\.txt: node_exporter reads only files whose names end in \.prom/);
});
