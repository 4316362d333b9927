import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path, { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/os/run.ts';
import { directory as makeDirectory } from '../daemon/fixtures/run.ts';

const FAILURES: Record<string, [command: [string, ...string[]], says: RegExp]> = {
  'takes too long': [
    ['/bin/sh', '-c', 'echo waiting; sleep 1000'],
    /took longer than 0\.2 s and was killed: waiting$/,
  ],
  'is killed': [['/bin/sh', '-c', 'kill -TERM $$'], /was killed by SIGTERM$/],
  'is not there': [['/no/such/program'], /cannot be started: .*ENOENT/],
  'has words that are too long': [['/bin/true', 'x'.repeat(200_000)], /^it cannot be started: .*E2BIG/],
};

for (const [what, [command, says]] of Object.entries(FAILURES)) {
  test(`a program that ${what} is an error`, async () => {
    await assert.rejects(run(command, { timeLimit: 200, what: 'it' }), { name: 'UserError', message: says });
  });
}

test('a program that cannot be started without file descriptors is an error, and nothing crashes', async () => {
  const module = JSON.stringify(path.resolve(import.meta.dirname, '../../src/os/run.ts'));
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import { run } from ${module};
    const options = { timeLimit: 60_000, what: 'it' };
    await run(['/bin/true'], options);
    const open = [];
    try { for (;;) open.push(openSync('/dev/null', 'r')); } catch {}
    const said = await run(['/bin/true'], options).catch(error => error.message);
    open.forEach(fd => closeSync(fd));
    await run(['/bin/true'], options);
    console.log(said);`;
  const node = `ulimit -n 100; exec "$0" --input-type=module-typescript -e "$1"`;
  const options = { timeLimit: 60_000, what: 'the script' };
  const said = await run(['/bin/sh', '-c', node, process.execPath, script], options);
  assert.match(said, /^it cannot be started: .*EMFILE/m);
});

test('a program that takes too long is ended with all that it has started', async t => {
  const directory = makeDirectory(t);
  const command = `sleep 1000 & echo $! > ${directory}/pid; wait`;
  await assert.rejects(run(['/bin/sh', '-c', command], { timeLimit: 300, what: 'it' }));
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  const isRunning = () => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  const deadline = Date.now() + 5_000;
  while (isRunning() && Date.now() < deadline) await sleep(10);
  assert.equal(isRunning(), false);
});

test('a program that has started a daemon is not waited for any longer than itself', async t => {
  const directory = makeDirectory(t);
  await run(['/bin/sh', '-c', `sleep 1000 & echo $! > ${directory}/pid`], { timeLimit: 5_000, what: 'it' });
  // Throws if it is not running any more.
  process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 'SIGKILL');
});

test('what a program says is returned, and no more than the last 4 kB of it', async () => {
  assert.equal(await run(['/bin/echo', 'hello'], { timeLimit: 5_000, what: 'it' }), 'hello\n');
  const much = await run(['/bin/sh', '-c', 'yes | head -c 1000000'], { timeLimit: 30_000, what: 'it' });
  assert.equal(much.length, 4096);
});
