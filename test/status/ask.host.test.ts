import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { acquireLock } from '../../src/daemon/lock.ts';
import { askBalancer, mastersIn, runningMasters } from '../../src/status/ask.ts';
import { report, slave } from './fixtures/report.ts';

let count = 0;

/** The holder of a master's lock. */
async function holder(t: TestContext, onConnection?: (socket: Socket) => void): Promise<string> {
  count += 1;
  const master = `test ask ${process.pid} ${count}`;
  const lock = await acquireLock(`master:${master}`, onConnection);
  t.after(() => lock?.release());
  return master;
}

const GOOD = JSON.stringify(report([slave(0)]));

test('nobody there: it does not run', async () => {
  assert.deepEqual(await askBalancer(`test ask nobody ${process.pid}`), { kind: 'not running' });
});

test('a balancer without status hangs up without a word', async t => {
  assert.deepEqual(await askBalancer(await holder(t)), { kind: 'silent' });
});

test('one that takes the call and says nothing is not waited for for ever', async t => {
  const sockets: Socket[] = [];
  const master = await holder(t, socket => void sockets.push(socket));
  t.after(() => sockets.map(socket => socket.destroy()));
  assert.deepEqual(await askBalancer(master, { timeLimit: 50, patience: 0 }), { kind: 'no answer' });
});

test('one that says a little and then nothing neither', async t => {
  const sockets: Socket[] = [];
  const master = await holder(t, socket => {
    sockets.push(socket);
    socket.write(GOOD.slice(0, 100));
  });
  t.after(() => sockets.map(socket => socket.destroy()));
  assert.deepEqual(await askBalancer(master, { timeLimit: 50, patience: 0 }), { kind: 'no answer' });
});

for (const [what, answer, why] of [
  ['no JSON', 'hello\n', /^it is not JSON$/],
  ['null', 'null\n', /^its schema version is undefined$/],
  ['another schema', '{"schemaVersion":2}\n', /^its schema version is 2$/],
  ['a report with a hole', GOOD.replace('"ageSeconds"', '"age"'), /^slaves\[0\]\.ageSeconds is missing/],
  [
    'a time that is none',
    GOOD.replace(/"time":"[^"]*"/, '"time":"\\u001b[2J"'),
    /^time is missing or invalid/,
  ],
] as const) {
  test(`${what} is not understood`, async t => {
    const found = await askBalancer(await holder(t, socket => void socket.end(answer)));
    assert.equal(found.kind, 'incomprehensible');
    assert.match('why' in found ? found.why : '', why);
  });
}

test('names that a newer balancer says besides are no matter', async t => {
  const master = await holder(t, socket => void socket.end(GOOD.replace('{', '{"novelty":{"a":1},')));
  assert.equal((await askBalancer(master)).kind, 'report');
});

test('an answer without an end is not read to its end', async t => {
  const block = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const master = await holder(t, socket => {
    const more = () => {
      while (!socket.destroyed && socket.write(block)) sent += 1;
    };
    socket.on('drain', () => {
      sent += 1;
      more();
    });
    more();
  });
  assert.deepEqual(await askBalancer(master), { kind: 'incomprehensible', why: 'it is not JSON' });
  assert.ok(sent < 20, `${sent} MB`);
});

test('the masters with a balancer are known without a configuration', async t => {
  const master = await holder(t);
  assert.ok((await runningMasters()).includes(master));
});

test('of the sockets of a machine only those count that listen as the lock of a master', () => {
  const table = `Num       RefCount Protocol Flags    Type St Inode Path
00000000: 00000002 00000000 00010000 0001 01 21354 @gbrowse-aws-balancer:master:web one
00000000: 00000003 00000000 00000000 0001 03 21355 @gbrowse-aws-balancer:master:web one
00000000: 00000003 00000000 00000000 0001 03 21356 @gbrowse-aws-balancer:master:gone
00000000: 00000002 00000000 00010000 0001 01 21357 @gbrowse-aws-balancer:pidfile:/run/x.pid
00000000: 00000002 00000000 00010000 0001 01 21358 /run/gbrowse-aws-balancer:master:file
00000000: 00000002 00000000 00010000 0001 01 9 @gbrowse-aws-balancer:master:i-0123
00000000: 00000003 00000000 00000000 0001 03 21359
`;
  assert.deepEqual(mastersIn(table), ['i-0123', 'web one']);
  fc.assert(fc.property(fc.string(), text => Array.isArray(mastersIn(text))));
});
