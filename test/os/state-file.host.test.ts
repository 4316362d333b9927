import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeStateDirectory } from '../../src/os/state-directory.ts';
import {
  isStateFileName,
  readState,
  removeState,
  type StateKind,
  stateFileOf,
  stateTrouble,
  writeState,
} from '../../src/os/state-file.ts';
import { asRoot, directory } from '../daemon/fixtures/run.ts';

const NUMBER: StateKind<number> = {
  name: 'number',
  version: 1,
  mostBytes: 1000,
  understand: value => (typeof value === 'number' ? value : undefined),
};
const now = Date.UTC(2026, 10, 25);
const web1 = { master: 'web1', now };

test('what was written is read again, by this master, and nobody else can read it', async t => {
  const file = stateFileOf(directory(t), NUMBER, 'web1');
  assert.deepEqual(await readState(file, NUMBER, web1), { kind: 'missing' });
  await writeState(file, NUMBER, web1, 42);
  assert.deepEqual(await readState(file, NUMBER, web1), { kind: 'value', value: 42, writtenAt: now });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(isStateFileName(path.basename(file)));
  await removeState(file);
  await removeState(file);
  assert.deepEqual(await readState(file, NUMBER, web1), { kind: 'missing' });
});

test('a file that the clock has dated in the future is used where its kind allows it', async t => {
  const file = stateFileOf(directory(t), NUMBER, 'web1');
  const writtenAt = now + 3_600_000;
  await writeState(file, NUMBER, { ...web1, now: writtenAt }, 42);
  const read = await readState(file, { ...NUMBER, mayBeFuture: true }, web1);
  assert.deepEqual(read, { kind: 'value', value: 42, writtenAt });
});

test('a directory in the place of a state file is not used, and the message says to remove it', async t => {
  const file = stateFileOf(directory(t), NUMBER, 'web1');
  mkdirSync(file);
  assert.equal((await readState(file, NUMBER, web1)).kind, 'unusable');
  for (const change of [() => writeState(file, NUMBER, web1, 42), () => removeState(file)]) {
    const error: unknown = await change().then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.match(stateTrouble(file, error), /a directory of this name is in its place; remove it/);
  }
});

test('masters of one machine have files of their own', () => {
  const files = ['web1', 'web2', 'a/b', 'x'.repeat(256)].map(it => stateFileOf('/d', NUMBER, it));
  assert.equal(new Set(files).size, files.length);
  for (const file of files) assert.equal(path.dirname(file), '/d');
});

test('a torn, foreign or future file is not used, and the message says why', async t => {
  const file = stateFileOf(directory(t), NUMBER, 'web1');
  const rows: readonly (readonly [what: () => unknown, RegExp])[] = [
    [() => truncateSync(file, 40), /incomplete or damaged/],
    [() => truncateSync(file, 0), /incomplete or damaged/],
    [() => writeFileSync(file, 'null'), /another kind/],
    [() => writeFileSync(file, '\0\xff{'), /incomplete or damaged/],
    [() => writeState(file, { ...NUMBER, name: 'other' }, web1, 1), /another kind/],
    [() => writeState(file, { ...NUMBER, version: 2 }, web1, 1), /another version/],
    [() => writeState(file, NUMBER, { ...web1, master: 'web2' }, 1), /another master/],
    [() => writeState(file, NUMBER, { ...web1, now: now + 3_600_000 }, 1), /future/],
    [
      () => writeState<unknown>(file, { ...NUMBER, understand: it => it }, web1, 'x'),
      /incomplete or damaged/,
    ],
    [() => writeFileSync(file, ' '.repeat(2000)), /larger than 1000 bytes/],
    [() => chmodSync(file, 0o640), /other users/],
  ];
  for (const [spoil, why] of rows) {
    await writeState(file, NUMBER, web1, 42);
    await spoil();
    const read = await readState(file, NUMBER, web1);
    assert.ok(read.kind === 'unusable', String(why));
    assert.match(read.why, why);
    await writeState(file, NUMBER, web1, 42);
    assert.equal((await readState(file, NUMBER, web1)).kind, 'value');
  }
});

test('a link, a directory and a file of another user are not believed, and a link is not written through', async t => {
  const here = directory(t);
  const file = stateFileOf(here, NUMBER, 'web1');
  writeFileSync(path.join(here, 'other'), 'theirs', { mode: 0o600 });
  symlinkSync('other', file);
  assert.match(JSON.stringify(await readState(file, NUMBER, web1)), /symbolic link/);
  await writeState(file, NUMBER, web1, 42);
  assert.equal(readFileSync(path.join(here, 'other'), 'utf8'), 'theirs');
  mkdirSync(stateFileOf(here, NUMBER, 'dir'), { mode: 0o700 });
  assert.match(
    JSON.stringify(await readState(stateFileOf(here, NUMBER, 'dir'), NUMBER, web1)),
    /regular file/,
  );
  if (process.geteuid?.() !== 0) return;
  chownSync(file, 33, 33);
  assert.match(JSON.stringify(await readState(file, NUMBER, web1)), /another user/);
});

test("root gives the directory to the balancer's user, unless it has other files in it", asRoot, async t => {
  const above = path.join(directory(t), 'above');
  const made = path.join(above, 'state');
  await makeStateDirectory(made, { uid: 33, gid: 33 });
  const { uid, mode } = statSync(made);
  assert.deepEqual([uid, mode & 0o777], [33, 0o700]);
  writeFileSync(stateFileOf(made, NUMBER, 'web1'), '');
  await makeStateDirectory(made, { uid: 0, gid: 0 });
  assert.equal(statSync(made).uid, 0);
  writeFileSync(path.join(made, 'precious'), '');
  await assert.rejects(makeStateDirectory(made, { uid: 33, gid: 33 }), /holds other files \(precious\)/);
  chownSync(above, 33, 33);
  await assert.rejects(
    makeStateDirectory(path.join(above, 'new'), { uid: 33, gid: 33 }),
    /can change .*above/,
  );
});
