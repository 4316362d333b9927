import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findResidents, type Resident } from '../../src/farm/apache.ts';
import { createReload } from '../../src/farm/reload.ts';
import { allProcesses, commandLineOf } from '../../src/os/process.ts';
import { asRoot } from '../daemon/fixtures/run.ts';

function place(t: TestContext): { directory: string; file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'reload-'));
  chmodSync(directory, 0o777);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'renderfarm.conf');
  writeFileSync(file, '[GENERAL]\n');
  return { directory, file };
}

test('reload_command = none does nothing', async t => {
  const { file } = place(t);
  assert.equal(await createReload(file, 'none')(), undefined);
});

test('a command is run once for each change of the file, and once at the start', async t => {
  const { directory, file } = place(t);
  const log = join(directory, 'log');
  const reload = createReload(file, `echo told >> ${log}; echo done`);
  const told = () => readFileSync(log, 'utf8').split('told').length - 1;
  assert.equal(await reload(), 'reload_command was run');
  assert.equal(await reload(), undefined);
  assert.equal(told(), 1);
  writeFileSync(file, '[GENERAL]\nrenderfarm = 0\n');
  await reload();
  await reload();
  assert.equal(told(), 2);
});

test('without a farm file there is nothing to tell', async t => {
  const { directory } = place(t);
  const reload = createReload(join(directory, 'missing.conf'), `touch ${directory}/told`);
  assert.equal(await reload(), undefined);
});

test('a command that fails is an error with the end of its output, and is tried again', async t => {
  const { directory, file } = place(t);
  chmodSync(directory, 0o755);
  const reload = createReload(
    file,
    `seq 1 1000; printf 'no\\033[31m luck\\n\\n' >&2; test -e ${directory}/ok || exit 3`,
  );
  await assert.rejects(reload(), {
    name: 'UserError',
    message: /^\[MASTER\] reload_command failed with exit status 3: .*no \[31m luck$/,
  });
  writeFileSync(join(directory, 'ok'), '');
  assert.equal(await reload(), 'reload_command was run');
});

test('a command sees no credentials of the balancer, has a PATH and no input', async t => {
  const { directory, file } = place(t);
  for (const name of ['AWS_SECRET_ACCESS_KEY', 'EC2_SECRET_KEY', 'SOMETHING_ELSE']) {
    process.env[name] = 'geheim';
    t.after(() => delete process.env[name]);
  }
  await createReload(file, `env > ${directory}/env; cat >> ${directory}/env; pwd >> ${directory}/env`)();
  const seen = readFileSync(join(directory, 'env'), 'utf8');
  assert.match(seen, /^PATH=.*\/usr\/sbin/m);
  assert.match(seen, /\n\/\n$/);
  assert.doesNotMatch(seen, /geheim|AWS|EC2/);
});

/** What Apache gives its child as standard input, for Perl. */
const STDIN: Record<string, string> = {
  'a listening unix socket':
    'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("$ARGV[1].socket")); listen(S, 5);',
  'a connected socket': 'socketpair(S, T, PF_UNIX, SOCK_STREAM, 0);',
  'a bound socket that does not listen':
    'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("$ARGV[1].socket"));',
  'a pipe': 'pipe(S, T);',
  'a file': 'open(S, "<", "/etc/passwd");',
};

type Started = { readonly apache: number; foundUnder(): readonly Resident[] };

/**
 * A program that is called Apache (Perl in truth), and under it a script with this name and standard input.
 *
 * @param parent what the parent is called
 */
async function startUnder(
  t: TestContext,
  directory: string,
  { parent = 'apache2', script = 'gbrowse', stdin = 'a listening unix socket', uid = 0 },
): Promise<Started> {
  const [outer, inner] = [join(directory, parent), join(directory, script)];
  const told = `$SIG{USR1} = sub { open(F, ">", "${directory}/signalled"); close F };`;
  const child = `if (!fork) { ${STDIN[stdin]} open(STDIN, "<&", \\*S); exec $ARGV[0] }`;
  writeFileSync(outer, `#!/usr/bin/perl\nuse Socket; ${told} ${child} sleep 1 while 1;\n`, { mode: 0o755 });
  writeFileSync(inner, '#!/usr/bin/perl\nsleep 1 while 1;\n', { mode: 0o755 });
  const process = spawn(outer, [inner, inner], {
    stdio: 'ignore',
    detached: true,
    cwd: '/',
    ...(uid > 0 && { uid, gid: uid }),
  });
  const { pid = 0 } = process;
  t.after(async () => {
    globalThis.process.kill(-pid, 'SIGKILL');
    await once(process, 'exit');
  });
  const isReady = () =>
    [...allProcesses().values()].some(
      it => it.parent === pid && it.name === script.slice(0, 15) && commandLineOf(it.pid).length > 1,
    );
  while (!isReady()) await sleep(10);
  return { apache: pid, foundUnder: () => findResidents(Date.now()).filter(it => it.apache.pid === pid) };
}

const LISTENING = /listening/;
for (const stdin of Object.keys(STDIN)) {
  const stays = LISTENING.test(stdin);
  test(`a gbrowse whose standard input is ${stdin} ${stays ? 'stays in memory' : 'does not'}`, async t => {
    const { foundUnder } = await startUnder(t, place(t).directory, { stdin });
    assert.equal(foundUnder().length, stays ? 1 : 0);
  });
}

for (const [script, isGBrowse] of Object.entries({
  gbrowse: true,
  gbrowse_img: true,
  'gbrowse.fcgi': true,
  gbrowse_slave: false,
  'gbrowse-aws-balancer': false,
  other: false,
})) {
  test(`${script} with a listening socket ${isGBrowse ? 'is' : 'is not'} taken for GBrowse`, async t => {
    const { foundUnder } = await startUnder(t, place(t).directory, { script });
    assert.equal(foundUnder().length, isGBrowse ? 1 : 0);
  });
}

test('a gbrowse with a listening socket that Apache has not started counts for nothing', async t => {
  const { directory, file } = place(t);
  const { apache } = await startUnder(t, directory, {
    parent: 'anything',
    uid: asRoot.skip === false ? 65_534 : 0,
  });
  appendFileSync(file, '\n');
  assert.deepEqual(
    findResidents(Date.now()).filter(({ process }) => process.parent === apache),
    [],
  );
  assert.equal(
    await createReload(file, 'auto', now => findResidents(now).filter(it => it.apache.pid === apache))(),
    undefined,
  );
});

test('a program that calls itself Apache is never run, nor signalled, whosever it is', asRoot, async t => {
  for (const [uid, says] of [
    [
      65_534,
      /Apache \(pid \d+\) runs as another user, so it cannot be told to reload; set \[MASTER\] reload_command/,
    ],
    [0, /process \d+ is called Apache, but runs \/.*perl/],
  ] as const) {
    const { directory, file } = place(t);
    const { foundUnder } = await startUnder(t, directory, { uid });
    while (foundUnder().length === 0) await sleep(10);
    appendFileSync(file, '\n');
    await assert.rejects(createReload(file, 'auto', foundUnder)(), { name: 'UserError', message: says });
    await sleep(50);
    assert.throws(() => readFileSync(join(directory, 'signalled')), { code: 'ENOENT' });
  }
});

test('nothing is renamed or removed at the name of a socket that somebody has chosen', asRoot, async t => {
  const { directory, file } = place(t);
  const own = join(directory, 'own');
  mkdirSync(own);
  chmodSync(own, 0o777);
  const { foundUnder } = await startUnder(t, own, { uid: 65_534 });
  while (foundUnder().length === 0) await sleep(10);
  // The directory of the socket becomes a link to another one, in which that name is root's file.
  const precious = join(directory, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'gbrowse.socket'), 'precious');
  renameSync(own, `${own}.aside`);
  symlinkSync(precious, own);
  appendFileSync(file, '\n');
  await createReload(file, 'auto', foundUnder)().catch(() => {});
  assert.deepEqual(readdirSync(precious), ['gbrowse.socket']);
  assert.equal(readFileSync(join(precious, 'gbrowse.socket'), 'utf8'), 'precious');
});

test('the command lines of strangers are not read: hundreds of long ones cost nothing', asRoot, async t => {
  const { directory } = place(t);
  const { foundUnder } = await startUnder(t, directory, {});
  const strangers = Array.from({ length: 40 }, () =>
    spawn('/bin/sleep', ['60'], {
      argv0: `gbrowse${'x'.repeat(120_000)}`,
      stdio: 'ignore',
      uid: 65_534,
      gid: 65_534,
    }),
  );
  t.after(() => {
    for (const stranger of strangers) stranger.kill('SIGKILL');
  });
  const before = process.memoryUsage().rss;
  assert.equal(foundUnder().length, 1);
  assert.ok(process.memoryUsage().rss - before < 4_000_000);
});

test('as root, a reload_command that others can change is not run', asRoot, async t => {
  const { directory, file } = place(t);
  const script = join(directory, 'reload.sh');
  writeFileSync(script, `touch ${directory}/ran\n`, { mode: 0o755 });
  for (const command of [script, `sh ${script}`, `true && sh '${script}' now`, `sh <${script}`]) {
    await assert.rejects(createReload(file, command)(), {
      name: 'UserError',
      message:
        /reload_command was not run as root, because users other than root can change \/.*give it to root/,
    });
  }
  assert.ok(!readdirSync(directory).includes('ran'));
  chmodSync(directory, 0o755);
  assert.equal(await createReload(file, `sh ${script}`)(), 'reload_command was run');
  assert.ok(readdirSync(directory).includes('ran'));
});
