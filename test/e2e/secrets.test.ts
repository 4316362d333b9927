import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, SECRET, until } from './world.ts';

const skip = ec2Missing();
const isRoot = process.getuid?.() === 0;

/** Where the secret shows: in a process's arguments or environment, or in a file of the master. */
function leaks(master: Master): readonly string[] {
  const { environment } = master;
  assert.ok(environment.E2E_DIRECTORY);
  const processes = master.processes().flatMap(pid => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const files = readdirSync(master.directory, { recursive: true, withFileTypes: true })
    .filter(it => it.isFile())
    .map(it => path.join(it.parentPath, it.name));
  return [...processes, ...files].filter(file => contentOf(file).includes(SECRET));
}

/** Nothing, where the process has ended or the file was renamed since it was listed. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

describe('the secret key', { skip, concurrency: true }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  const WAYS = [
    ['in the foreground', [], false],
    ['in the background', ['--background'], false],
    ['in the background as another user', ['--background', '--user', 'www-data'], true],
  ] as const;
  WAYS.forEach(([way, words, needsRoot], index) => {
    for (const source of ['the command line', 'the environment'] as const) {
      const reason = needsRoot && !isRoot ? 'only root can become another user' : false;
      test(`given on ${source}, ${way}: no process, log or pidfile shows it`, { skip: reason }, async t => {
        const master = createMaster(t, {
          ec2,
          name: `secret${index}${source.length}`,
          statusUrl: apache.url,
        });
        const { accessKey } = master.account;
        const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
        const message = `The key ${SECRET} is not good for this`;
        await master.account.fault({
          action: 'CreateFleet',
          code: 'UnauthorizedOperation',
          status: 403,
          message,
        });
        const given = source === 'the command line';
        const pidfile = path.join(master.directory, 'pid');
        const logfile = path.join(master.directory, 'log');
        const balancer = master.run(
          [
            ...[
              '--conf',
              master.confFile,
              '--pidfile',
              pidfile,
              '--logfile',
              logfile,
              '--verbosity',
              '3',
              ...words,
            ],
            ...(given ? ['--access_key', accessKey, '--secret_key', SECRET] : []),
          ],
          given ? environment : { ...environment, EC2_ACCESS_KEY: accessKey, EC2_SECRET_KEY: SECRET },
        );
        await until('EC2 has refused', () => {
          try {
            return readFileSync(logfile, 'utf8').includes('UnauthorizedOperation');
          } catch {
            return false;
          }
        });
        assert.match(readFileSync(logfile, 'utf8'), /The key \*\*\* is not good for this/);
        // What a program's own start was given, nobody can take out of its /proc/PID/environ.
        const own = given || words.length > 0 ? undefined : `/proc/${balancer.pid}/environ`;
        assert.deepEqual(
          leaks(master).filter(file => file !== own),
          [],
        );
        assert.ok(master.processes().length > 0);
        assert.equal(await master.run(['--kill', '--pidfile', pidfile]).ended(), 0);
        assert.deepEqual(leaks(master), []);
        assert.ok(!`${balancer.stdout()}${balancer.stderr()}`.includes(SECRET));
      });
    }
  });

  test('does not reach the reload command, nor Apache through it', async t => {
    const master = createMaster(t, { ec2, name: 'reload', statusUrl: apache.url });
    const seen = path.join(master.directory, 'seen');
    master.configure({ reload_command: `env > ${seen}.part && mv ${seen}.part ${seen}` });
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = master.environment;
    const keys = { EC2_ACCESS_KEY: master.account.accessKey, EC2_SECRET_KEY: SECRET };
    const balancer = master.run(['--conf', master.confFile], { ...environment, ...keys });
    await master.serving(2);
    const variables = await until('Apache is reloaded', () => contentOf(seen) || false);
    assert.match(variables, /^PATH=/m);
    assert.doesNotMatch(variables, /EC2_|AWS_/);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual(leaks(master), []);
  });

  for (const words of [
    ['--secret_kee', SECRET],
    [`--secret_key${SECRET}`],
    [SECRET],
    ['--background', SECRET],
  ]) {
    test(`is not repeated in the complaint about "${words.join(' ').replace(SECRET, '…')}"`, async t => {
      const master = createMaster(t, { ec2, name: 'mistyped', statusUrl: apache.url });
      const balancer = master.start(...words);
      assert.equal(await balancer.ended(), 2);
      assert.ok(!balancer.stderr().includes(SECRET.slice(0, 12)), balancer.stderr());
    });
  }
});
