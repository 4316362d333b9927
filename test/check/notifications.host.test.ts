import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { notifications, programIn, testMessage } from '../../src/check/topics/notifications.ts';
import type { World } from '../../src/check/world.ts';

/** What the topics need of a world with this command; the balancer's user is nobody. */
function worldWith(notify: string | undefined, user = 'nobody'): World {
  const world: Partial<Record<keyof World, unknown>> = {
    options: { user },
    edges: { settingsFile: '/etc/default/gbrowse-aws-balancer' },
    signal: new AbortController().signal,
    config: async () => ({ master: { notify } }),
    place: async () => 'aws_balancer.conf:12',
    service: async () => undefined,
    site: async () => ({ name: 'web1' }),
  };
  return world as unknown as World;
}

const isRoot = process.geteuid?.() === 0;

describe('the program of notify', () => {
  const cases: readonly (readonly [command: string, program: string | undefined])[] = [
    ['mail -s "$SUBJECT" root', 'mail'],
    ['/usr/local/bin/tell --to root', '/usr/local/bin/tell'],
    ['LC_ALL=C.UTF-8 logger -t gbrowse', 'logger'],
    ['if true; then mail root; fi', undefined],
    ['"/opt/my tools/tell"', undefined],
    ['$TELL', undefined],
    ['(cat; env) >> /tmp/told', undefined],
    ['cd /opt && ./tell', undefined],
  ];
  for (const [command, program] of cases)
    it(`of ${command} is ${program ?? 'for the shell to find'}`, () =>
      assert.equal(programIn(command), program));
});

describe('check', () => {
  it('says nothing of notify where it is not set', async () => {
    assert.deepEqual(await notifications.check(worldWith(undefined)), []);
  });

  const findings: readonly (readonly [command: string, verdict: string, says: RegExp])[] = [
    ['sh -c "cat >/dev/null"', 'ok', /^aws_balancer\.conf:12: notify runs \/(usr\/)?bin\/sh; /],
    ['no-such-program root', 'problem', /notify runs no-such-program, and there is no such program in \/usr/],
    [
      '/no/such/program',
      'problem',
      /notify runs \/no\/such\/program, and there is no such program: nobody is told/,
    ],
    ['/etc/passwd', 'problem', /there is no such program/],
    ['/tmp', 'problem', /there is no such program/],
    ['cd /opt && ./tell', 'ok', /only a test message tries/],
  ];
  for (const [command, verdict, says] of findings) {
    it(`finds ${verdict} with notify = ${command}`, async () => {
      const [found] = await notifications.check(worldWith(command));
      assert.equal(found?.verdict, verdict);
      assert.match(found?.message ?? '', says);
    });
  }

  it('sends a test message, and reports a command that fails', async () => {
    const [sent] = await testMessage.check(
      worldWith('grep -q "^This is a test" && test "$TOPIC$(id -u)" != test0'),
    );
    assert.equal(sent?.verdict, 'ok', sent?.message);
    const [failed] = await testMessage.check(worldWith('echo no route >&2; exit 1'));
    assert.equal(failed?.verdict, 'problem');
    assert.match(
      failed?.message ?? '',
      /was not sent: \[MASTER\] notify failed with exit status 1: no route\.$/,
    );
    const [unset] = await testMessage.check(worldWith(undefined));
    assert.match(unset?.message ?? '', /notify is not set/);
  });

  it('warns of a balancer of root’s, and sends nothing then', { skip: !isRoot && 'needs root' }, async () => {
    const [found] = await notifications.check(worldWith('sh', 'root'));
    assert.equal(found?.verdict, 'warning');
    await assert.rejects(testMessage.check(worldWith('sh', 'root')), /not checked: it would run as root/);
  });
});
