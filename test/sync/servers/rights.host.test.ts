import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { readSmall } from '../../../src/staging/read-small.ts';
import { findServers } from '../../../src/sync/servers/find.ts';
import { holdServers } from '../../../src/sync/servers/hold-servers.ts';
import { managerOf } from '../../../src/sync/servers/manager.ts';
import { notAlone } from '../../peers/own-namespaces.ts';
import { until } from '../../peers/until.ts';

/** Who owns the data directory, and somebody else; neither need have an account. */
const OWNER = 4001;
const OTHER = 4002;

const report = { say() {}, warn() {}, detail() {}, progress() {} };

describe('what a process called mysqld can make root do', { skip: notAlone }, () => {
  let directory: string;
  let data: string;
  let traces: string;
  const processes: ChildProcess[] = [];
  before(() => {
    // The machine's own /tmp may belong to anybody.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/srv']);
  });
  after(() => {
    execFileSync('umount', ['--lazy', '/srv']);
  });
  beforeEach(() => {
    directory = mkdtempSync('/srv/rights-');
    chmodSync(directory, 0o755);
    data = path.join(directory, 'data');
    mkdirSync(data);
    chownSync(data, OWNER, OWNER);
    chmodSync(data, 0o755);
    traces = path.join(directory, 'traces');
    mkdirSync(traces);
    chmodSync(traces, 0o1777);
    // A process is called as its program's file.
    copyFileSync('/bin/sleep', path.join(directory, 'mysqld'));
  });
  afterEach(() => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    execFileSync('sh', ['-c', 'pkill -KILL -x mysqld || true']);
    rmSync(directory, { recursive: true });
  });

  /** Starts a process with a server's name and directory, as a user. */
  async function startFake(uid: number, environment: NodeJS.ProcessEnv = {}, args = ['1000']) {
    const child = spawn(
      'setpriv',
      [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', path.join(directory, 'mysqld'), ...args],
      { cwd: data, env: { PATH: '/usr/bin:/bin', ...environment }, stdio: 'ignore' },
    );
    processes.push(child);
    await until('it is called mysqld', () => readComm(child.pid) === 'mysqld');
    return child;
  }

  function readComm(pid: number | undefined): string {
    return execFileSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8' }).trim();
  }

  test('nothing, as another user than the owner of the data: it is no server, and it is named', async () => {
    const fake = await startFake(OTHER);
    const strangers: unknown[] = [];
    assert.deepEqual(
      findServers([data], it => strangers.push(it)),
      [],
    );
    assert.deepEqual(strangers, [{ pid: fake.pid, dataDirectory: data }]);
    assert.deepEqual(await holdServers([data], { clock: systemClock, report }), []);
    assert.equal(fake.exitCode, null);
  });

  test('nothing, while only one of its user ids is the owner', async () => {
    const child = spawn(
      'setpriv',
      [`--ruid=${OTHER}`, `--euid=${OWNER}`, path.join(directory, 'mysqld'), '1000'],
      { cwd: data, stdio: 'ignore' },
    );
    processes.push(child);
    await until('it is called mysqld', () => readComm(child.pid) === 'mysqld');
    assert.deepEqual(findServers([data]), []);
  });

  test("no more than its own user may: no program runs as root with the owner's environment or directory", async () => {
    // The dynamic linker writes down every program that is started with this, as the user who runs it.
    const trace = path.join(traces, 'started');
    const evil = path.join(directory, 'evil');
    mkdirSync(evil);
    for (const name of ['sleep', 'setpriv', 'sh', 'cat', 'kill']) {
      const file = path.join(evil, name);
      writeFileSync(file, `#!/bin/sh\nid -u > ${traces}/ran-${name}-$$\nexec /bin/${name} "$@"\n`, {
        mode: 0o755,
      });
    }
    await startFake(OWNER, {
      PATH: `${evil}:/usr/bin:/bin`,
      LD_DEBUG: 'files',
      LD_DEBUG_OUTPUT: trace,
      ODD: "it's\n$(id) `id`",
    });
    for (const file of readdirSync(traces)) rmSync(path.join(traces, file));
    const [hold] = await holdServers([data], { clock: systemClock, report });
    assert.ok(hold?.isDown);
    assert.deepEqual(findServers([data]), []);
    await hold.release();
    const [again] = findServers([data]);
    assert.deepEqual(again?.rights, { uid: OWNER, gid: OWNER, groups: [] });
    const environment = readFileSync(`/proc/${again?.pid}/environ`, 'utf8').split('\0');
    assert.ok(environment.includes("ODD=it's\n$(id) `id`"), environment.join('|'));
    const started = readdirSync(traces);
    assert.ok(started.length > 0, 'the server itself was traced');
    assert.deepEqual(
      started.filter(file => statSync(path.join(traces, file)).uid !== OWNER),
      [],
    );
  });

  test('an endless command line is not read to its end, and the server is left alone', async () => {
    const fake = await startFake(OWNER, {}, ['1000', ...Array.from({ length: 3000 }, () => '0')]);
    await assert.rejects(
      holdServers([data], { clock: systemClock, report }),
      /command line of more than 4096 bytes .* stop it by hand/,
    );
    assert.equal(fake.exitCode ?? fake.signalCode, null);
  });

  test('a server that runs as root is not started by its own words', async () => {
    chownSync(data, 0, 0);
    await startFake(0);
    const [server] = findServers([data]);
    await assert.rejects(managerOf(server ?? assert.fail('not found')), /runs as root/);
  });

  test('a FIFO in the place of a file of its own holds up nobody', async () => {
    execFileSync('mkfifo', [path.join(data, 'postmaster.pid')]);
    assert.equal(await readSmall(path.join(data, 'postmaster.pid'), 100), undefined);
  });

  test('sync is killed with SIGKILL while it is stopped: it comes back', async () => {
    await startFake(OWNER);
    const [before] = findServers([data]);
    const modules = path.resolve(import.meta.dirname, '../../../src');
    const program = `const { holdServers } = await import('${modules}/sync/servers/hold-servers.ts');
      const { systemClock } = await import('${modules}/clock.ts');
      const none = () => {};
      await holdServers(['${data}'], { clock: systemClock, report: { say: none, warn: none, detail: none, progress: none } });
      process.stdout.write('stopped');
      setInterval(none, 1000);`;
    const sync = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(sync);
    await once(sync.stdout ?? assert.fail(), 'data');
    assert.deepEqual(findServers([data]), []);
    sync.kill('SIGKILL');
    const again = await until('it is there again', async () => findServers([data])[0]);
    assert.notEqual(again.pid, before?.pid);
    assert.deepEqual(again.rights, before?.rights);
  });
});
