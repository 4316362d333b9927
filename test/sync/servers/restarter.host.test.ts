import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findProcess, type RunningProcess } from '../../../src/os/process.ts';
import { environmentIn, isServersUnit, serviceIn } from '../../../src/sync/servers/manager.ts';
import { createRestarter } from '../../../src/sync/servers/restarter.ts';
import { until } from '../../peers/until.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'restarter-'));
});
after(() => rmSync(directory, { recursive: true }));

/** A command that writes down where and how it was started. */
function command(name: string) {
  const file = path.join(directory, name);
  return {
    file,
    start: {
      argv: ['/bin/sh', '-c', `echo "$PWD $WHO $0" > '${file}.new' && mv '${file}.new' '${file}'`, "it's me"],
      rights: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: [] },
      server: {
        directory: '/usr',
        environment: { WHO: 'a server', PATH: '/usr/bin:/bin' },
      },
    },
  };
}

async function sleeper() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

function markOf(child: ChildProcess): RunningProcess {
  return findProcess(child.pid ?? 0) ?? assert.fail('it has ended');
}

describe('a server that was stopped is started again', () => {
  test('when that is said, in its directory and with its environment', async () => {
    const server = await sleeper();
    const { file, start } = command('said');
    const restarter = await createRestarter(start, markOf(server));
    server.kill();
    await once(server, 'exit');
    assert.equal(await restarter.start(), 0);
    await until('it was started', () => existsSync(file));
    assert.equal(readFileSync(file, 'utf8'), "/usr a server it's me\n");
  });

  test('not before the old one has ended', async () => {
    const server = await sleeper();
    const { file, start } = command('after');
    const restarter = await createRestarter(start, markOf(server));
    const started = restarter.start();
    let ended = false;
    setTimeout(() => {
      ended = true;
      server.kill();
    }, 300);
    await started;
    assert.equal(ended, true);
    await until('it was started', () => existsSync(file));
  });

  test('when the process that should have said it is killed', async () => {
    const server = await sleeper();
    const { file, start } = command('killed');
    const module = path.resolve(import.meta.dirname, '../../../src/sync/servers/restarter.ts');
    const program = `const { createRestarter } = await import(${JSON.stringify(module)});
      await createRestarter(${JSON.stringify(start)}, ${JSON.stringify(markOf(server))});
      process.stdout.write('ready');
      setInterval(() => {}, 1000);`;
    const stopper = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(stopper.stdout, 'data');
    server.kill();
    assert.equal(existsSync(file), false);
    stopper.kill('SIGKILL');
    await until('it was started', () => existsSync(file));
  });

  test('and the status of a command that starts it is reported', async () => {
    const server = await sleeper();
    const start = { argv: ['sh', '-c', 'exit 7'] };
    const restarter = await createRestarter(start, markOf(server));
    server.kill();
    assert.equal(await restarter.start(), 7);
  });
});

describe('who looks after a server', () => {
  for (const [text, expected] of [
    ['0::/system.slice/mariadb.service\n', 'mariadb.service'],
    ['0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n', 'postgresql@15-main.service'],
    ['12:pids:/system.slice/mysql.service\n1:name=systemd:/system.slice/mysql.service\n', 'mysql.service'],
    ['0::/user.slice/user-0.slice/session-3.scope\n', undefined],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/run.service\n', undefined],
    ['0::/\n', undefined],
  ] as const) {
    test(`${JSON.stringify(text)}: ${expected}`, () => assert.equal(serviceIn(text), expected));
  }

  test('an environment is read as it is', () => {
    assert.deepEqual(environmentIn('A=1\0B=x=y\n\0C=\0=odd\0'), { A: '1', B: 'x=y\n', C: '' });
  });

  for (const [what, unit, mainPid, expected] of [
    ['the server', 'mariadb.service', 100, true],
    ['what watches over it', 'mysql.service', 99, true],
    ["somebody else's job", 'cron.service', 7, false],
    ['a unit of an init script', 'mysql.service', 0, true],
    ['a unit without a main process, of another name', 'rc-local.service', 0, false],
  ] as const) {
    test(`a service with the main process of ${what}: ${expected}`, () =>
      assert.equal(isServersUnit(unit, mainPid, [100, 99]), expected));
  }
});
