import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReload } from '../../src/farm/reload.ts';
import { findResidents, type Resident } from '../../src/farm/resident.ts';
import { run } from '../../src/farm/run.ts';

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

test('a command that fails is an error with the end of what it said, and is tried again', async t => {
  const { directory, file } = place(t);
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

const FAILURES: Record<string, [command: [string, ...string[]], says: RegExp]> = {
  'takes too long': [
    ['/bin/sh', '-c', 'echo waiting; sleep 1000'],
    /took longer than 0\.2 s and was killed: waiting$/,
  ],
  'is killed': [['/bin/sh', '-c', 'kill -TERM $$'], /was killed by SIGTERM$/],
  'is not there': [['/no/such/program'], /cannot be started: .*ENOENT/],
};

for (const [what, [command, says]] of Object.entries(FAILURES)) {
  test(`a program that ${what} is an error`, async () => {
    await assert.rejects(run(command, { timeLimit: 200, what: 'it' }), { name: 'UserError', message: says });
  });
}

test('a program that takes too long is ended with all that it has started', async t => {
  const { directory } = place(t);
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
  const { directory } = place(t);
  await run(['/bin/sh', '-c', `sleep 1000 & echo $! > ${directory}/pid`], { timeLimit: 5_000, what: 'it' });
  // Throws if it is not running any more.
  process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 'SIGKILL');
});

/** A program named gbrowse with this standard input, for Perl: `$0` is replaced by a sleeping process. */
const STDIN: Record<string, string> = {
  'a listening unix socket':
    'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])); listen(S, 5);',
  'a listening TCP socket':
    'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK)); listen(S, 5);',
  'a connected socket': 'socketpair(S, T, PF_UNIX, SOCK_STREAM, 0);',
  'a bound socket that does not listen':
    'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0]));',
  'a pipe': 'pipe(S, T);',
  'a file': 'open(S, "<", "/etc/passwd");',
};

function program(stdin: string, script: string): string {
  return `use Socket; ${stdin} open(STDIN, "<&", \\*S); exec {"/bin/sleep"} "${script}", "1000";`;
}

function start(t: TestContext, [command, ...args]: [string, ...string[]], uid?: number): ChildProcess {
  const child = spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    cwd: '/',
    ...(uid ? { uid, gid: uid } : {}),
  });
  t.after(async () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

/** Waits until a process shows that command line. */
async function shows(pid: number | undefined, argument: string): Promise<void> {
  const line = () => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    } catch {
      return [];
    }
  };
  while (line()[0] !== argument) await sleep(5);
}

/** What is found of the processes in a group. */
async function foundIn(group: number | undefined): Promise<Resident[]> {
  const all = await findResidents(Date.now());
  const groupOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2];
  return all.filter(({ process }) => groupOf(process.pid) === String(group));
}

const LISTENING = /listening/;
for (const [what, stdin] of Object.entries(STDIN)) {
  const resident = LISTENING.test(what);
  test(`a gbrowse whose standard input is ${what} ${resident ? 'stays in memory' : 'does not'}`, async t => {
    const { directory } = place(t);
    const child = start(t, ['perl', '-e', program(stdin, '/cgi-bin/gbrowse'), join(directory, 'socket')]);
    await shows(child.pid, '/cgi-bin/gbrowse');
    const found = await foundIn(child.pid);
    assert.equal(found.length, resident ? 1 : 0);
  });
}

for (const [script, isGBrowse] of Object.entries({
  gbrowse: true,
  '/usr/lib/cgi-bin/gbrowse/gbrowse_img': true,
  '/srv/gbrowse.fcgi': true,
  '/usr/bin/gbrowse_slave': false,
  'gbrowse-aws-balancer': false,
  '/usr/lib/cgi-bin/gbrowse/other': false,
})) {
  test(`${script} with a listening socket ${isGBrowse ? 'is' : 'is not'} taken for GBrowse`, async t => {
    const { directory } = place(t);
    const stdin = STDIN['a listening unix socket'] ?? '';
    const child = start(t, ['perl', '-e', program(stdin, script), join(directory, 'socket')]);
    await shows(child.pid, script);
    assert.equal((await foundIn(child.pid)).length, isGBrowse ? 1 : 0);
  });
}

test('a FastCGI GBrowse outside of Apache is an error that names it and the option', async t => {
  const { directory, file } = place(t);
  const stdin = STDIN['a listening unix socket'] ?? '';
  const child = start(t, ['perl', '-e', program(stdin, 'gbrowse'), join(directory, 'socket')]);
  await shows(child.pid, 'gbrowse');
  appendFileSync(file, '\n');
  const reload = createReload(file, 'auto', () => foundIn(child.pid));
  await assert.rejects(reload(), {
    name: 'UserError',
    message: new RegExp(
      `GBrowse \\(pid ${child.pid}\\) runs as FastCGI outside of Apache.*\\[MASTER\\] reload_command`,
    ),
  });
  // One that was started after the last change has read it.
  utimesSync(file, new Date(), new Date(Date.now() - 60_000));
  assert.equal(await reload(), undefined);
});

test('a process of another user that calls itself Apache is never run, nor signalled', {
  skip: process.getuid?.() === 0 ? false : 'only root can start a process as another user',
}, async t => {
  const { directory, file } = place(t);
  const inner = program(STDIN['a listening unix socket'] ?? '', 'gbrowse').replaceAll("'", '"');
  // Perl under the name of apache2: what its program would do with "-t" is seen in the directory.
  const outer = `$SIG{USR1} = sub { open(F, ">", "$ARGV[1]"); }; if (!fork) { ${inner} } sleep 1 while 1;`;
  const disguise = `exec {$^X} "apache2", "-e", $ARGV[0], "$ARGV[1]/socket", "$ARGV[1]/signalled";`;
  const child = start(t, ['perl', '-e', disguise, outer, directory], 65_534);
  await shows(child.pid, 'apache2');
  while ((await foundIn(child.pid)).length === 0) await sleep(10);
  appendFileSync(file, '\n');
  await assert.rejects(createReload(file, 'auto', () => foundIn(child.pid))(), {
    name: 'UserError',
    message:
      /Apache \(pid \d+\) runs as another user, so it cannot be told to reload\. Set \[MASTER\] reload_command/,
  });
  await sleep(50);
  assert.throws(() => readFileSync(join(directory, 'signalled')), { code: 'ENOENT' });
});
