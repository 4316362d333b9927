import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import {
  forbidden,
  MAIL_BY_PORT,
  notifications,
  programIn,
  testMessage,
} from '../../src/check/topics/notifications.ts';
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

  it('has a command for the sandbox of systemd that sends a mail without any rights', {
    skip: !existsSync('/usr/bin/curl') && 'curl is not installed',
  }, async t => {
    const mail = await startMailServer(t);
    assert.match(forbidden('x', 'mail').fix ?? '', /notify = \(printf/);
    const [sent] = await testMessage.check(
      worldWith(MAIL_BY_PORT.replace('smtp://localhost', `smtp://127.0.0.1:${mail.port}`)),
    );
    assert.equal(sent?.verdict, 'ok', sent?.message);
    const text = mail.heard();
    assert.match(text, /^RCPT TO:<root>\r$/m);
    assert.match(text, /^To: root\r\nSubject: GBrowse render farm web1: a test\r\n\r\nThis is a test/m);
  });

  it('warns of a balancer of root’s, and sends nothing then', { skip: !isRoot && 'needs root' }, async () => {
    const [found] = await notifications.check(worldWith('sh', 'root'));
    assert.equal(found?.verdict, 'warning');
    await assert.rejects(testMessage.check(worldWith('sh', 'root')), /not checked: it would run as root/);
  });
});

/** A mail server that takes every mail. */
async function startMailServer(t: TestContext) {
  let heard = '';
  const server = createServer(socket => {
    let isMail = false;
    let rest = '';
    socket.write('220 mail.example\r\n');
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (isMail && line !== '.') continue;
        isMail = line === 'DATA';
        socket.write(isMail ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
        if (line === 'QUIT') socket.end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    heard: () => heard,
  };
}
