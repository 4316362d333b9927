import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SLAVE, world } from './fixtures/keeper-world.ts';
import { asRoot, directory, start } from './fixtures/run.ts';
import { takeOver } from './fixtures/taken-over.ts';

const HANGING = path.join(import.meta.dirname, 'fixtures/hanging.ts');

test('a process ends though a file system hangs, where process.exit would wait for ever', async t => {
  const fifo = path.join(directory(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  assert.equal(await start(t, HANGING, [fifo]).ended, 'SIGKILL');
});

test('where no file system hangs, it ends with its exit status', async t => {
  assert.equal(await start(t, HANGING).ended, 7);
});

test(
  'when the balancer is killed while the farm file’s directory hangs, its keeper ends, and none of what it was asked for is done',
  asRoot,
  async t => {
    const made = world(t);
    execFileSync('mkfifo', [made.at('farm.new')]);
    const { keeper, channel, say } = await takeOver(t, made);
    await say({ id: 1, ask: 'config' });
    for (const id of [2, 3]) channel.write(`${JSON.stringify({ id, ask: 'farm.write', urls: [SLAVE] })}\n`);
    const ended = once(keeper, 'exit');
    channel.end();
    await ended;
    execFileSync('rm', [made.at('farm.new')]);
    assert.equal(readFileSync(made.at('farm'), 'utf8'), '');
  },
);
