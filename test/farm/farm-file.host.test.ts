import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFarm } from '../../src/farm/create.ts';
import { readFarmFile, replaceFarmFile } from '../../src/farm/farm-file.ts';
import { findRenderfarm } from '../../src/farm/locate.ts';

const A = 'http://10.0.0.5:8101';
const B = 'http://10.0.0.6:8101';
const skip = process.getuid?.() === 0 ? false : 'only root can give files to other users';

/** A GBrowse configuration directory of this test's own. */
function place(t: TestContext): { directory: string; file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'farm-'));
  chmodSync(directory, 0o755);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, file: join(directory, 'renderfarm.conf') };
}

function farmOf(file: string) {
  return createFarm({ file, reloadCommand: 'none' });
}

test('what is written is what is read, and other lines stay', async t => {
  const { file } = place(t);
  writeFileSync(file, Buffer.from('# f\xfcr den Hof\r\n[GENERAL]\r\nrenderfarm = 0\r\n', 'latin1'));
  const farm = farmOf(file);
  await farm.write([A, B]);
  assert.deepEqual(await farm.read(), [A, B]);
  assert.equal(
    readFileSync(file, 'latin1'),
    `# f\xfcr den Hof\r\n[GENERAL]\r\nrenderfarm = 1\r\nremote renderer =\r\n\t${A}\r\n\t${B}\r\n# gbrowse-aws-balancer keeps these slaves: ${A} ${B}\r\n`,
  );
  await farm.write([]);
  assert.deepEqual(await farm.read(), []);
});

test('a file that says it already is not touched, however it is worded', async t => {
  const { file } = place(t);
  writeFileSync(
    file,
    `[general]\nRENDERFARM=1\nremote renderer = ${A}   ${B}\n# gbrowse-aws-balancer keeps these slaves: ${B} ${A}`,
  );
  const before = statSync(file, { bigint: true });
  await farmOf(file).write([A, B]);
  const after = statSync(file, { bigint: true });
  assert.equal(after.ino, before.ino);
  assert.equal(after.mtimeNs, before.mtimeNs);
});

test('a list that is left while the farm is off is emptied', async t => {
  const { file } = place(t);
  writeFileSync(file, `[GENERAL]\nrenderfarm = 0\nremote renderer = ${A}\n`);
  await farmOf(file).write([]);
  assert.equal(readFileSync(file, 'utf8'), '[GENERAL]\nrenderfarm = 0\nremote renderer =\n');
});

test('without a file there is no slave; the first one makes the file, readable for all', async t => {
  const { directory, file } = place(t);
  const farm = farmOf(file);
  assert.deepEqual(await farm.read(), []);
  await farm.write([]);
  assert.equal(existsSync(file), false);
  await farm.write([A]);
  assert.equal(statSync(file).mode & 0o7777, 0o644);
  assert.deepEqual(readdirSync(directory), ['renderfarm.conf']);
});

test('owner, group and mode stay', { skip }, async t => {
  const { directory, file } = place(t);
  for (const [uid, gid, mode] of [
    [1, 2, 0o640],
    [0, 33, 0o2664],
    [33, 0, 0o600],
  ] as const) {
    writeFileSync(file, '');
    chownSync(file, uid, gid);
    chmodSync(file, mode);
    // A directory that gives its own group to what is made in it.
    chownSync(directory, 0, 4);
    chmodSync(directory, 0o2755);
    await farmOf(file).write([A]);
    const { uid: newUid, gid: newGid, mode: newMode } = statSync(file);
    assert.deepEqual([newUid, newGid, newMode & 0o7777], [uid, gid, mode]);
    rmSync(file);
  }
});

test('a new file has the owner of GBrowse.conf', { skip }, async t => {
  const { directory, file } = place(t);
  chownSync(directory, 0, 6);
  await farmOf(file).write([A]);
  assert.deepEqual([statSync(file).uid, statSync(file).gid], [0, 6]);
  rmSync(file);
  writeFileSync(join(directory, 'GBrowse.conf'), '');
  chownSync(join(directory, 'GBrowse.conf'), 1, 2);
  await farmOf(file).write([A]);
  assert.deepEqual([statSync(file).uid, statSync(file).gid], [1, 2]);
});

test('a link stays a link, and its target gets the list', async t => {
  const { directory, file } = place(t);
  mkdirSync(join(directory, 'elsewhere'));
  symlinkSync('elsewhere/second', file);
  symlinkSync('third', join(directory, 'elsewhere/second'));
  // The target need not be there yet.
  for (const urls of [[A], [A, B]]) {
    await farmOf(file).write(urls);
    assert.ok(
      lstatSync(file).isSymbolicLink() && lstatSync(join(directory, 'elsewhere/second')).isSymbolicLink(),
    );
    assert.deepEqual(await farmOf(join(directory, 'elsewhere/third')).read(), urls);
  }
  assert.deepEqual(readdirSync(join(directory, 'elsewhere')).sort(), ['second', 'third']);
});

test('what a balancer that was killed left behind is cleared away, what others write is not', async t => {
  const { directory, file } = place(t);
  const ended = spawnSync('true').pid;
  const foreign = [
    '.renderfarm.conf.balancer-1',
    '.renderfarm.conf.swp',
    '.renderfarm.conf.balancer-x',
    'renderfarm.conf~',
  ];
  for (const name of [
    ...foreign,
    `.renderfarm.conf.balancer-${ended}`,
    `.renderfarm.conf.balancer-${process.pid}`,
  ]) {
    writeFileSync(join(directory, name), 'half');
  }
  await farmOf(file).write([A]);
  assert.deepEqual(readdirSync(directory).sort(), [...foreign, 'renderfarm.conf'].sort());
});

test('readers never see half a file', async t => {
  const { file } = place(t);
  const farm = farmOf(file);
  const long = Array.from({ length: 2_000 }, (_, n) => `http://10.0.${n >> 8}.${n & 255}:8101`);
  await farm.write(long);
  let busy = true;
  const writing = (async () => {
    for (let n = 0; n < 20; n++) await farm.write(n % 2 === 0 ? [] : long);
    busy = false;
  })();
  const seen = new Set<number>();
  while (busy) {
    seen.add((await farm.read()).length);
    await new Promise(setImmediate);
  }
  await writing;
  assert.deepEqual([...seen].sort(), [0, long.length]);
});

test('of writes that are asked for at the same time, the last one stays', async t => {
  const { directory, file } = place(t);
  const farm = farmOf(file);
  await Promise.all([farm.write([A]), farm.write([A, B]), farm.write([]), farm.write([B])]);
  assert.deepEqual(await farm.read(), [B]);
  assert.deepEqual(readdirSync(directory), ['renderfarm.conf']);
});

test('a directory that is not there is an error that names the option', async t => {
  const { directory } = place(t);
  const farm = farmOf(join(directory, 'missing', 'renderfarm.conf'));
  assert.deepEqual(await farm.read(), []);
  await assert.rejects(farm.write([A]), {
    name: 'UserError',
    message: /^cannot write .*missing\/renderfarm\.conf: there is no directory .*\[MASTER\] renderfarm_conf/,
  });
});

const NO_FARM_FILES: Record<string, [make: (file: string) => void, says: RegExp]> = {
  'a directory': [file => mkdirSync(file), /not a regular file/],
  'a named pipe': [file => void execFileSync('mkfifo', [file]), /not a regular file/],
  'a device': [file => symlinkSync('/dev/zero', file), /not a regular file/],
  'a file of 100 MB': [
    file => {
      writeFileSync(file, '');
      truncateSync(file, 100 * 1024 * 1024);
    },
    /104857600 bytes are too many/,
  ],
  'a link in a circle': [file => symlinkSync(file, file), /links form a loop/],
};

for (const [what, [make, says]] of Object.entries(NO_FARM_FILES)) {
  test(`${what} in place of the farm file is an error, and stays as it is`, async t => {
    const { directory, file } = place(t);
    make(file);
    const before = lstatSync(file).ino;
    await assert.rejects(readFarmFile(file), { name: 'UserError', message: says });
    await assert.rejects(replaceFarmFile(file, 'x'), { name: 'UserError', message: says });
    assert.equal(lstatSync(file).ino, before);
    assert.deepEqual(readdirSync(directory), ['renderfarm.conf']);
  });
}

/**
 * Writes the farm as another user, in a process of its own; its error. It becomes that user when all is loaded, because
 * the project may lie where only root can read.
 */
function writeAs(uid: number, file: string): string {
  const program = `
    import { createFarm } from ${JSON.stringify(import.meta.resolve('../../src/farm/create.ts'))};
    process.setgroups([]);
    process.setgid(${uid});
    process.setuid(${uid});
    try { await createFarm({ file: process.argv[1], reloadCommand: 'none' }).write(['${A}']); }
    catch (error) { console.log(error.name + ': ' + error.message); }`;
  const args = ['--input-type=module', '-e', program, file];
  return spawnSync(process.execPath, args, { encoding: 'utf8', cwd: '/' }).stdout;
}

test('a user without permission gets an error that says who, and what to do; the file does not change', {
  skip,
}, t => {
  const { directory, file } = place(t);
  writeFileSync(file, '[GENERAL]\n');
  const message = /^UserError: cannot write .*: user (id )?\w+ has no permission; run the balancer as root/;
  assert.match(writeAs(65_534, file), message);
  // One who may write there, but cannot leave the file to its owner.
  chmodSync(directory, 0o777);
  assert.match(writeAs(65_534, file), message);
  assert.equal(readFileSync(file, 'utf8'), '[GENERAL]\n');
  assert.deepEqual(readdirSync(directory), ['renderfarm.conf']);
});

/** In a mount namespace of its own, with a file system of 64 kB on the directory. */
const mounts = spawnSync('unshare', ['-m', 'true']).status === 0;
const MOUNTED: Record<string, [prepare: string, says: RegExp]> = {
  'a full disk': ['cat /dev/zero > "$0/fill" 2>/dev/null', /the disk is full/],
  'a read-only file system': ['mount -o remount,ro "$0"', /the file system is read-only/],
  'a file that is a mount point': [
    'touch /tmp/x.$$; mount --bind /tmp/x.$$ "$0/renderfarm.conf"; rm -f /tmp/x.$$',
    /mount point/,
  ],
};

for (const [what, [prepare, says]] of Object.entries(MOUNTED)) {
  test(`${what} is an error that says so, and nothing is left behind`, {
    skip: mounts ? false : 'no mount namespaces here',
  }, t => {
    const { directory } = place(t);
    const program = `
      import { createFarm } from ${JSON.stringify(import.meta.resolve('../../src/farm/create.ts'))};
      import { readdirSync } from 'node:fs';
      try { await createFarm({ file: process.argv[1] + '/renderfarm.conf', reloadCommand: 'none' }).write(['${A}']); }
      catch (error) { console.log(error.name + ': ' + error.message); }
      console.log(readdirSync(process.argv[1]).filter(name => name.startsWith('.')).length + ' left');`;
    const script = `mount -t tmpfs -o size=64k none "$0" && touch "$0/renderfarm.conf" && { ${prepare}; "$1" --input-type=module -e "$2" "$0"; }`;
    const said = spawnSync('unshare', ['-m', 'sh', '-c', script, directory, process.execPath, program], {
      encoding: 'utf8',
    });
    assert.match(said.stdout, says, said.stderr);
    assert.match(said.stdout, /\n0 left\n$/);
  });
}

test('the farm file is beside the first GBrowse.conf, or where the configuration says', async t => {
  const { directory } = place(t);
  const places = ['a', 'b', 'c'].map(name => join(directory, name));
  for (const name of places.slice(1)) {
    mkdirSync(name);
    writeFileSync(join(name, 'GBrowse.conf'), '');
  }
  assert.equal(
    await findRenderfarm(undefined, { env: {}, places, apache: async () => [] }),
    join(directory, 'b/renderfarm.conf'),
  );
  assert.equal(await findRenderfarm('/srv/farm.conf', { places }), '/srv/farm.conf');
});

test('no GBrowse.conf anywhere is an error that names the places and the option', async () => {
  await assert.rejects(
    findRenderfarm(undefined, { env: {}, places: ['/no/such/a', '/no/such/b'], apache: async () => [] }),
    {
      name: 'UserError',
      message: /no GBrowse\.conf in \/no\/such\/a, \/no\/such\/b.*\[MASTER\] renderfarm_conf/,
    },
  );
});
