import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireLock, connectToLock, isLockHeld } from '../../src/daemon/lock.ts';
import { askBalancer } from '../../src/status/ask.ts';
import type { Report } from '../../src/status/report.ts';
import { createStatusServer, type StatusLimits } from '../../src/status/serve.ts';
import { report, slave } from './fixtures/report.ts';

const LIMITS: StatusLimits = { mostClients: 4, patience: 60_000, fresh: 0 };
const SMALL = report([slave(0)]);
/** More than a socket's buffer takes (net.core.wmem_default: 208 kB). */
const LARGE = report(Array.from({ length: 4000 }, (_, index) => slave(index)));

let count = 0;

/** A balancer's lock that answers with a report. */
async function serving(
  t: TestContext,
  make: () => Promise<Report | undefined>,
  limits: Partial<StatusLimits> = {},
) {
  count += 1;
  const master = `test serve ${process.pid} ${count}`;
  const lock = await acquireLock(`master:${master}`, createStatusServer(make, { ...LIMITS, ...limits }));
  t.after(() => lock?.release());
  async function client(): Promise<Socket> {
    const socket = await connectToLock(`master:${master}`);
    assert.ok(socket);
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    return socket;
  }
  const ask = () => askBalancer(master, { timeLimit: 30_000, patience: 30_000 });
  return { master, client, ask };
}

test('who connects gets the report', async t => {
  const { ask } = await serving(t, async () => SMALL);
  assert.deepEqual(await ask(), { kind: 'report', report: SMALL });
});

test('the report of thousands of slaves comes whole', async t => {
  const { ask } = await serving(t, async () => LARGE);
  assert.deepEqual(await ask(), { kind: 'report', report: LARGE });
});

test('before there is a report a client waits for it', async t => {
  let made: Report | undefined;
  const { ask, client } = await serving(t, async () => made);
  const early = await client();
  const [line] = await once(early, 'data');
  assert.equal(String(line), '{"starting":true}\n');
  const answer = ask();
  await sleep(50);
  made = SMALL;
  assert.equal((await answer).kind, 'report');
});

test('a report that cannot be made is said to be so, and the next one is', async t => {
  let fails = true;
  const { ask } = await serving(t, async () => {
    if (fails) throw new Error('a bug');
    return SMALL;
  });
  assert.deepEqual(await ask(), { kind: 'incomprehensible', why: 'a bug' });
  fails = false;
  assert.equal((await ask()).kind, 'report');
});

test('clients that hang and never read keep nobody from an answer', async t => {
  const { ask, client } = await serving(t, async () => SMALL);
  const hanging = await Promise.all(Array.from({ length: 50 }, client));
  for (const socket of hanging) socket.pause();
  assert.equal((await ask()).kind, 'report');
});

test('waits only for so many clients that do not read a long answer, and not for ever', async t => {
  const { client, ask } = await serving(t, async () => LARGE, { patience: 300 });
  const hanging = await Promise.all(Array.from({ length: LIMITS.mostClients }, client));
  for (const socket of hanging) socket.pause();
  // Their places are taken until their time is over.
  const late = await client();
  const [line] = await once(late, 'data');
  assert.equal(String(line), '{"busy":true}\n');
  assert.equal((await ask()).kind, 'report');
});

test('what clients send is not read: a megabyte of it changes nothing', async t => {
  const { ask, client } = await serving(t, async () => SMALL);
  for (let index = 0; index < 10; index++) {
    const socket = await client();
    socket.write(Buffer.alloc(1024 * 1024, '{'));
  }
  assert.equal((await ask()).kind, 'report');
});

test('a crowd that comes at the same time shares one report', async t => {
  let made = 0;
  const { client } = await serving(
    t,
    async () => {
      made += 1;
      return SMALL;
    },
    { fresh: Number.POSITIVE_INFINITY, mostClients: 1000 },
  );
  const sockets = await Promise.all(Array.from({ length: 100 }, client));
  const answers = await Promise.all(
    sockets.map(async socket => {
      const parts: Buffer[] = [];
      for await (const part of socket) parts.push(part);
      return Buffer.concat(parts).toString();
    }),
  );
  assert.deepEqual([...new Set(answers)], [`${JSON.stringify(SMALL)}\n`]);
  assert.equal(made, 1);
});

test('clients that only check whether it is held, or disconnect at once, leave no trace', async t => {
  const { master, ask } = await serving(t, async () => LARGE);
  for (let index = 0; index < 50; index++) assert.equal(await isLockHeld(`master:${master}`), true);
  assert.equal((await ask()).kind, 'report');
});
