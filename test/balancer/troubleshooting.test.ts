import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const [, table = ''] = /\n\| the log says \| do \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(readme) ?? [];
const rows = table.split('\n').filter(Boolean);
const sources = globSync('src/**/*.ts', { cwd: root }).map(file =>
  readFileSync(path.join(root, file), 'utf8'),
);

/** What the first column quotes; of a message, the text between what differs each time. */
function quotedIn(row: string): readonly string[] {
  const [, messages = ''] = row.split('|');
  return [...messages.matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) =>
    text
      .split(/…|^\d+/)
      .map(part => part.trim().replace(/:$/, ''))
      .filter(Boolean),
  );
}

describe("the README's table of messages", () => {
  it('has rows, each of which quotes a message', () => {
    assert.ok(rows.length >= 7);
    for (const row of rows) assert.notDeepEqual(quotedIn(row), [], row);
  });

  for (const row of rows) {
    for (const text of quotedIn(row))
      it(`has the words of the program: ${text}`, () =>
        assert.ok(
          sources.some(source => source.includes(text)),
          `nothing in src says "${text}"`,
        ));
  }
});
