import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const SCRIPT = '/usr/bin/script';
const skip = existsSync(SCRIPT) ? false : `${SCRIPT} is not installed`;
const FIXTURE = path.join(import.meta.dirname, 'fixtures/draw.ts');
const COLUMNS = 12;
const ROWS = 3;

/** What `draw` with each of these in turn leaves on a real pseudo-terminal of 12 by 3. */
function drawn(...texts: readonly string[]): readonly string[] {
  const words = texts.map(text => `'${text.replaceAll('\n', '\\n')}'`).join(' ');
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' '${FIXTURE}' ${words}`;
  const { stdout, stderr } = spawnSync(SCRIPT, ['-qefc', command, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  const [output = '', ...rest] = stdout.split('\x07');
  assert.equal(rest.length, 1, stdout + stderr);
  return screenOf(output);
}

/** A terminal, as far as `screen.ts` uses one: VT100 with xterm's private modes. */
function screenOf(output: string): readonly string[] {
  const cells = Array.from({ length: ROWS }, () => Array.from({ length: COLUMNS }, () => ' '));
  let [row, column] = [0, 0];
  const erase = (line: number, from: number) => cells[line]?.fill(' ', from);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys
  for (const [token, sequence] of output.matchAll(/\x1b\[([?\d;]*[A-Za-z])|[^\x1b]/g)) {
    if (sequence === 'H') [row, column] = [0, 0];
    else if (sequence === 'K') erase(row, column);
    else if (sequence === 'J')
      for (let line = row; line < ROWS; line++) erase(line, line === row ? column : 0);
    else if (sequence !== undefined) continue;
    else if (token === '\r') column = 0;
    else if (token === '\n') row = Math.min(row + 1, ROWS - 1);
    else {
      cells[row]?.splice(column, 1, token);
      // Without wrapping the cursor stays on the last column.
      column = Math.min(column + 1, COLUMNS - 1);
    }
  }
  return cells.map(line => line.join('').trimEnd());
}

describe('the screen of status --watch', { skip, concurrency: 2 }, () => {
  it('shows a line of full width with its last character, on the last row too', () => {
    assert.deepEqual(drawn('abcdefghijkl\nmnopqrstuvwx\nABCDEFGHIJKL'), [
      'abcdefghijkl',
      'mnopqrstuvwx',
      'ABCDEFGHIJKL',
    ]);
  });

  it('leaves nothing of what it showed before', () => {
    assert.deepEqual(drawn('abcdefghijkl\nmnopqrstuvwx\nlast', 'one\ntwo'), ['one', 'two', '']);
    assert.deepEqual(drawn('one\ntwo', ''), ['', '', '']);
  });

  it('says that there is more than it has room for', () => {
    assert.deepEqual(drawn('1\n2\n3\n4'), ['1', '2', '...']);
  });
});
