import assert from 'node:assert/strict';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import {
  acquireLock,
  connectToLock,
  describeHolder,
  isLockHeld,
  type Lock,
  lockAddress,
  lockState,
} from '../../src/daemon/lock.ts';
import { asRoot, start, until } from './fixtures/run.ts';

let count = 0;
function freshName(): string {
  count += 1;
  return `test:lock:${process.pid}:${count}`;
}

async function take(t: TestContext, name: string): Promise<Lock> {
  const lock = await acquireLock(name);
  assert.ok(lock !== undefined);
  t.after(() => lock.release());
  return lock;
}

test('a lock is had by one at a time, and can be had again after its release', async t => {
  const name = freshName();
  const lock = await take(t, name);
  assert.equal(await acquireLock(name), undefined);
  assert.equal(await isLockHeld(name), true);
  await lock.release();
  assert.equal(await isLockHeld(name), false);
  await take(t, name);
});

test('of many that want a lock at the same moment one gets it', async t => {
  const name = freshName();
  const locks = await Promise.all(Array.from({ length: 20 }, () => acquireLock(name)));
  const [lock, ...more] = locks.filter(found => found !== undefined);
  t.after(() => lock?.release());
  assert.ok(lock !== undefined);
  assert.equal(more.length, 0);
});

test('a lock is gone with its process, even one that was killed', async t => {
  const name = freshName();
  const holder = start(t, path.join(import.meta.dirname, 'fixtures/hold-lock.ts'), [name]);
  await until(() => isLockHeld(name));
  assert.equal(await acquireLock(name), undefined);
  holder.child.kill('SIGKILL');
  await holder.ended;
  await take(t, name);
});

test('who connects to a lock talks to its holder; without a holder there is no connection', async t => {
  const name = freshName();
  assert.equal(await connectToLock(name), undefined);
  const lock = await acquireLock(name, socket => socket.end('the state'));
  t.after(() => lock?.release());
  let text = '';
  for await (const part of (await connectToLock(name)) ?? []) text += String(part);
  assert.equal(text, 'the state');
});

test('every name has an address of its own that the kernel takes', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 300 }), (a, b) => {
      assert.ok(Buffer.byteLength(lockAddress(a)) <= 108);
      assert.equal(lockAddress(a) === lockAddress(b), a === b);
    }),
  );
});

test('names of any length can be locked', async t => {
  for (const length of [84, 85, 86, 87, 200]) {
    const name = `${freshName()}:`.padEnd(length, 'x');
    await take(t, name);
    assert.equal(await acquireLock(name), undefined, `${length} characters`);
    assert.equal(await isLockHeld(`${name}y`), false);
  }
});

test(
  'a stranger who listens at the socket neither keeps root’s balancer from starting nor is taken for one',
  asRoot,
  async t => {
    const name = `test:squat-${process.pid}`;
    const squatter = start(t, path.join(import.meta.dirname, 'fixtures/squat.ts'), [name]);
    await until(async () => (await lockState(name)).state !== 'free');
    assert.deepEqual(await lockState(name), {
      state: 'claimed',
      holder: { pid: squatter.pid, uid: 65_534 },
    });
    assert.equal(await isLockHeld(name), false);
    const lock = await acquireLock(name, socket => void socket.end('the balancer'));
    assert.ok(lock !== undefined);
    assert.deepEqual(lock.squatter, { pid: squatter.pid, uid: 65_534 });
    assert.match(describeHolder(lock.squatter), /^process \d+ \(.+\) of user id 65534$/);
    // The balancer is the one that others reach, and it is known to be there.
    const socket = await connectToLock(name);
    assert.equal(socket === undefined ? '' : await text(socket), 'the balancer');
    assert.equal((await lockState(name)).state, 'held');
    assert.equal(await acquireLock(name), undefined);
    lock.release();
    assert.equal((await lockState(name)).state, 'claimed');
  },
);
