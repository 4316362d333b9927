import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '../..');

/** Names that are written with a capital wherever they stand. */
const NAMES = /^(?:Apache|GBrowse|Perl|[A-Z]+[A-Z\d]\w*)\b/;

/** A call that makes an error or a log line, up to its end: the name is in the first group. */
const MESSAGES =
  /\b(?:failure|usageError|(?:User)?Error|(?:log|logger)\.(?:error|warn|info|debug))\(\s*(?<literals>[`'"][\s\S]*?)\)(?=[;,\n])/g;

test('errors and log lines begin in lower case and end without a full stop', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).map(file => ({
    file,
    text: readFileSync(path.join(ROOT, file), 'utf8'),
  }));
  assert.ok(sources.length > 100);
  assert.deepEqual(
    sources.flatMap(({ file, text }) => faultsIn(text).map(fault => `${file}: ${fault}`)),
    [],
  );
});

test('the rule finds a capital at the beginning and a full stop at the end, in calls of one line and of several', () => {
  assert.deepEqual(faultsIn("throw failure('Cannot do it');").length, 1);
  assert.deepEqual(faultsIn("throw failure(\n  `it is so. ` +\n    'Do that.',\n  { cause },\n);").length, 1);
  assert.deepEqual(faultsIn("throw new Error('it is so.');").length, 1);
  assert.deepEqual(faultsIn('throw failure(`EC2 is slow; wait`, { cause });').length, 0);
});

function faultsIn(source: string): readonly string[] {
  return [...source.matchAll(MESSAGES)].flatMap(({ groups }) => {
    const said = groups?.literals ?? '';
    const begin = said.slice(1);
    const isCapital = /^[A-Z]/.test(begin) && !NAMES.test(begin);
    const hasStop = /[^.]\.[`'"]\s*(?:,[\s\S]*)?$/.test(said);
    return isCapital || hasStop ? [said.slice(0, 120)] : [];
  });
}
