import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { GROUPS } from './groups.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** What only a test that needs this machine imports. */
const HOST = /from '(node:(child_process|net|http|https|dgram)|[./]+\/peers\/[^']+)'/;

test('every test file belongs to one group', () => {
  const grouped = GROUPS.flatMap(it => globSync([...it.files], { cwd: root }));
  assert.deepEqual(grouped.sort(), globSync('test/**/*.test.ts', { cwd: root }).sort());
});

test('fast tests start no process, open no socket and need no peer: those that do are called *.host.test.ts', () => {
  const fast = GROUPS.find(it => it.name === 'fast');
  const wrong = globSync([...(fast?.files ?? [])], { cwd: root }).filter(file =>
    HOST.test(readFileSync(path.join(root, file), 'utf8')),
  );
  assert.deepEqual(wrong, []);
});

test('CONTRIBUTING.md names the part of every folder of src', () => {
  const text = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const named = [...text.matchAll(/^\| `([\w-]+)\/` \|/gm)].map(([, name]) => `src/${name}/`);
  assert.deepEqual(
    named.sort(),
    globSync('src/*/', { cwd: root })
      .map(it => `${it.replace(/\/?$/, '')}/`)
      .sort(),
  );
});
