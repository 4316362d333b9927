import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { openFilesOf } from '../../src/os/process.ts';
import { unixSocketsIn, unixSocketsSeenBy } from '../../src/os/unix-sockets.ts';

test('sockets are read from the table, with the blanks of their paths; other lines are left out', () => {
  const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 24061 /run/a b  c.sock
0000000000000000: 00000003 00000000 00000000 0001 03     0 /run/a b  c.sock
0000000000000000: 00000003 00000000 00000000 0001 03 24065
0000000000000000: 00000002 00000000 00010000 0005 01 99999999999 @abstract
0000000000000000: 00000002
`;
  assert.deepEqual(unixSocketsIn(table), [
    { inode: '24061', listens: true, path: '/run/a b  c.sock' },
    { inode: '0', listens: false, path: '/run/a b  c.sock' },
    { inode: '24065', listens: false, path: '' },
    { inode: '99999999999', listens: true, path: '@abstract' },
  ]);
});

test('a socket that listens is found again among the open files of its process', async t => {
  const name = `os-unix-sockets-${process.pid}`;
  const server = createServer().listen({ path: `\0${name}` });
  t.after(() => server.close());
  await new Promise(resolve => server.once('listening', resolve));
  const found = unixSocketsSeenBy(process.pid).find(({ path }) => path === `@${name}`);
  assert.equal(found?.listens, true);
  assert.ok([...(openFilesOf(process.pid)?.values() ?? [])].includes(`socket:[${found?.inode}]`));
});
