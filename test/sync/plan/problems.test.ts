import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { afterEach, test } from 'node:test';
import type { SizedTree, TreeSize } from '../../../src/sync/plan/measure.ts';
import { problemsOf } from '../../../src/sync/plan/problems.ts';

const SIZE: TreeSize = {
  inodes: 2,
  bytes: 9,
  allocated: 4096,
  hardLinks: false,
  holes: false,
  leadingOut: [],
  leadingOutCount: 0,
  unreadable: [],
};
const { getuid } = process;
afterEach(() => Object.assign(process, { getuid }));
const runAs = (uid: number) => Object.assign(process, { getuid: () => uid });

const everything = (name: string) => `/usr/bin/${name}`;
const tree = (kind: SizedTree['tree']['kind'], size: Partial<TreeSize> = {}): SizedTree => ({
  tree: { kind, source: tmpdir(), paths: [tmpdir()] },
  size: { ...SIZE, ...size },
});

test('nothing prevents a sync where everything is there', async () => {
  runAs(0);
  assert.deepEqual(await problemsOf([tree('databases'), tree('mysql')], everything), []);
});

test('each program that is missing is a problem with its package; setpriv is for root alone', async () => {
  const nothing = () => undefined;
  runAs(0);
  const [rsync = '', ...others] = await problemsOf([tree('databases')], nothing);
  assert.match(rsync, /rsync .*\(Debian's package rsync\)/);
  assert.equal(others.length, 3);
  runAs(4711);
  assert.equal((await problemsOf([tree('databases')], nothing)).length, 3);
});

test("what another user than root cannot read, and a server of somebody else's, is a problem", async () => {
  runAs(4711);
  assert.deepEqual(await problemsOf([tree('databases', { unreadable: ['/d/a', '/d/b'] })], everything), [
    '/d/a, /d/b cannot be read by this user; run sync as root',
  ]);
  assert.deepEqual(await problemsOf([tree('postgresql')], everything), [
    `the server of ${tmpdir()} cannot be stopped by this user; run sync as root`,
  ]);
});
