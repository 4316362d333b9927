import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAnswer } from '../../src/farm/farm.ts';
import { answerOfError, combined, createProbe } from '../../src/farm/probe.ts';
import type { SlaveFigures } from '../../src/farm/slave-figures.ts';
import { SLAVE_TOKEN } from '../../src/spot/user-data.ts';
import { darkPort } from '../peers/dark-port.ts';

/** A server on a port of its own; `open` are the connections that it has. */
async function listening(t: TestContext, server: Server): Promise<{ port: number; open: Set<Socket> }> {
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open };
}

/** Speaks to each connection once it has asked. */
function answering(behave: (socket: Socket) => void): Server {
  return createServer(socket => socket.once('data', () => behave(socket)));
}

async function closed(t: TestContext): Promise<number> {
  const server = createServer();
  const { port } = await listening(t, server);
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** All connections are gone, at the latest a second after the answer. */
async function assertNoneLeft(open: Set<Socket>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (open.size > 0 && Date.now() < deadline) await sleep(5);
  assert.equal(open.size, 0, 'no connection is left');
}

const PATIENT = 5_000;
const SHORT = 200;

const ANSWERS: Record<string, [server: () => Server, timeLimit: number, expected: ProbeAnswer]> = {
  'a gbrowse_slave that knows the token, which says 400': [
    () => answering(socket => socket.end('HTTP/1.1 400 Bad request\r\n\r\ninvalid request')),
    PATIENT,
    'answered',
  ],
  "a gbrowse_slave that does not know it: the image's own, or one without its data": [
    () => answering(socket => socket.end(`HTTP/1.1 403 REQUEST DATASOURCE: ${SLAVE_TOKEN}\r\n\r\n`)),
    PATIENT,
    'refused',
  ],
  'an old gbrowse_slave, whose 403 names no data source': [
    () => answering(socket => socket.end('HTTP/1.0 403 REQUEST DATASOURCE\r\n\r\n')),
    PATIENT,
    'answered',
  ],
  'a server that says 500': [
    () => answering(socket => socket.end('HTTP/1.1 500 Oops\r\n\r\n')),
    PATIENT,
    'answered',
  ],
  'a web server': [() => createHttpServer((_, response) => response.end('hello')), PATIENT, 'answered'],
  'a server that keeps the connection open': [
    () => answering(socket => void socket.write('HTTP/1.1 200 OK\r\n\r\n')),
    PATIENT,
    'answered',
  ],
  'a server that answers in pieces': [
    () =>
      answering(async socket => {
        for (const piece of ['HT', 'TP/1.0 4', '03', ' X\r\n']) {
          socket.write(piece);
          await sleep(5);
        }
        socket.end();
      }),
    PATIENT,
    'answered',
  ],
  'a server that never stops talking': [
    () =>
      answering(socket => {
        const more = () => {
          while (socket.writable && socket.write('x'.repeat(65_536)));
        };
        socket.write('HTTP/1.0 200 OK\r\n\r\n');
        socket.on('drain', more);
        more();
      }),
    PATIENT,
    'answered',
  ],
  'a server that accepts and says nothing': [() => answering(() => {}), SHORT, 'silent'],
  'a server that closes at once': [() => createServer(socket => socket.resume().end()), PATIENT, 'refused'],
  'a server that resets': [() => answering(socket => socket.resetAndDestroy()), PATIENT, 'refused'],
  'a server that is no web server': [
    () => answering(socket => socket.end('SSH-2.0-OpenSSH\r\n')),
    PATIENT,
    'refused',
  ],
  'a server that babbles': [
    () => answering(socket => void socket.write('x'.repeat(5_000))),
    PATIENT,
    'refused',
  ],
  'a status line that is none': [
    () => answering(socket => socket.end('HTTP/1.0 abc\r\n\r\n')),
    PATIENT,
    'refused',
  ],
};

for (const [what, [server, timeLimit, expected]] of Object.entries(ANSWERS)) {
  test(`${what}: ${expected}, and no connection is left behind`, async t => {
    const { port, open } = await listening(t, server());
    assert.equal(await createProbe(timeLimit)('127.0.0.1', [port]), expected);
    await assertNoneLeft(open);
  });
}

test('it asks for the token of our slaves and lets the slave close the connection first', async t => {
  let asked = '';
  let closedFirst: string | undefined;
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('end', () => {
      closedFirst ??= 'the prober';
    });
    socket.once('data', chunk => {
      asked = chunk.toString();
      socket.write('HTTP/1.0 403 REQUEST DATASOURCE\r\n\r\n');
      setTimeout(() => {
        closedFirst ??= 'the slave';
        socket.end();
      }, 50);
    });
  });
  const { port, open } = await listening(t, server);
  assert.equal(await createProbe(PATIENT)('127.0.0.1', [port]), 'answered');
  await assertNoneLeft(open);
  assert.equal(asked, `GET /?data_name=${SLAVE_TOKEN} HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  assert.equal(closedFirst, 'the slave');
});

test('a slave answers when all of its ports do', async t => {
  const ready = await listening(
    t,
    answering(socket => socket.end('HTTP/1.0 403 X\r\n\r\n')),
  );
  const also = await listening(
    t,
    answering(socket => socket.end('HTTP/1.0 403 X\r\n\r\n')),
  );
  const probe = createProbe(PATIENT);
  assert.equal(await probe('127.0.0.1', [ready.port, also.port]), 'answered');
  assert.equal(await probe('127.0.0.1', [ready.port, await closed(t)]), 'refused');
});

for (const [address, port] of [
  ['127.0.0.1', 70_000],
  ['no-such-host.invalid', 8101],
  ['', -1],
  ['300.1.1.1', 8101],
] as const) {
  test(`${JSON.stringify(address)} port ${port} cannot be asked, which is no error`, async () => {
    assert.equal(await createProbe(SHORT)(address, [port]), 'unknown');
  });
}

test('a host that drops packets is dark', async t => {
  assert.equal(await createProbe(SHORT)('127.0.0.1', [await darkPort(t)]), 'dark');
});

test('two hundred slaves that say nothing do not delay one that answers', async t => {
  const silent = await listening(
    t,
    answering(() => {}),
  );
  const ready = await listening(
    t,
    answering(socket => socket.end('HTTP/1.0 403 X\r\n\r\n')),
  );
  const probe = createProbe(500);
  const order: string[] = [];
  const hanging = Array.from({ length: 200 }, () =>
    probe('127.0.0.1', [silent.port]).then(answer => {
      order.push('silent');
      return answer;
    }),
  );
  const one = await probe('127.0.0.1', [ready.port]);
  order.push('ready');
  assert.equal(one, 'answered');
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(['silent']));
  assert.equal(order[0], 'ready');
  await assertNoneLeft(silent.open);
});

for (const [answer, codes] of Object.entries({
  refused: ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'],
  dark: ['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN'],
  unknown: [
    'EMFILE',
    'ENFILE',
    'ENOMEM',
    'ENOBUFS',
    'EADDRNOTAVAIL',
    'ENETUNREACH',
    'ENETDOWN',
    'EACCES',
    'EPERM',
  ],
})) {
  test(`${codes.join(', ')}: ${answer}`, () => {
    for (const code of codes) assert.equal(answerOfError(Object.assign(new Error('no'), { code })), answer);
  });
}

test('what the ports of a slave say together', () => {
  const table: [ProbeAnswer[], ProbeAnswer][] = [
    [['answered', 'answered'], 'answered'],
    [['answered', 'silent'], 'silent'],
    [['silent', 'refused'], 'refused'],
    [['unknown', 'refused'], 'refused'],
    [['unknown', 'answered'], 'unknown'],
    [['unknown', 'dark'], 'unknown'],
    [['dark', 'dark'], 'dark'],
    // A host of which one port is alive is there: the other one's queue of connections is full.
    [['dark', 'silent'], 'silent'],
    [['dark', 'answered'], 'silent'],
    [[], 'unknown'],
  ];
  for (const [answers, together] of table) assert.equal(combined(answers), together, answers.join(', '));
});

const PROBE = JSON.stringify(new URL('../../src/farm/probe.ts', import.meta.url).href);

/** What a probe of the port finds in a process of its own, started by this shell command line. */
async function probedBy(shell: string, script: string): Promise<string> {
  const child = spawn(
    'sh',
    ['-c', `${shell} "$0" --input-type=module-typescript -e "$1"`, process.execPath, script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  return said;
}

test('a master without descriptors, or without network, says nothing about a slave', async t => {
  const { port } = await listening(
    t,
    answering(socket => socket.end('HTTP/1.0 403 X\r\n\r\n')),
  );
  const script = `
    import { openSync } from 'node:fs';
    import { createProbe } from ${PROBE};
    if (process.argv[1] === 'no descriptors') try { for (;;) openSync('/dev/null') } catch {}
    const answer = await createProbe(2000)('127.0.0.1', [${port}]);
    process.stdout.write(answer);`;
  assert.equal(await probedBy('exec', script), 'answered');
  assert.equal(
    await probedBy('ulimit -n 64; exec', script.replace('process.argv[1] ===', "'no descriptors' ===")),
    'unknown',
  );
  // A network namespace of its own has no route to anywhere.
  const away = script.replace("'127.0.0.1'", "'192.0.2.1'");
  assert.equal(await probedBy('exec unshare --user --map-root-user --net', away), 'unknown');
});

test('a master whose process was stopped says nothing about a slave', async t => {
  const { port } = await listening(
    t,
    answering(() => {}),
  );
  const script = `
    import { createProbe } from ${PROBE};
    const asking = createProbe(300)('127.0.0.1', [${port}]);
    await new Promise(resolve => setTimeout(resolve, 100));
    const until = Date.now() + 2500;
    while (Date.now() < until);
    process.stdout.write(await asking);`;
  assert.equal(await probedBy('exec', script), 'unknown');
});

test('what a slave reports about itself in its answer is read, and nonsense is ignored', async t => {
  const heard: [string, SlaveFigures][] = [];
  const probe = createProbe(PATIENT, (address, figures) => heard.push([address, figures]));
  const says = async (header: string) => {
    const answer = `HTTP/1.1 400 Bad request\r\nContent-type: text/plain\r\n${header}\r\n\r\ninvalid request`;
    const { port } = await listening(
      t,
      answering(socket => {
        socket.write(answer.slice(0, 60));
        setTimeout(() => socket.end(answer.slice(60)), 20);
      }),
    );
    assert.equal(await probe('127.0.0.1', [port]), 'answered');
    return heard.pop();
  };
  assert.deepEqual(
    await says('X-GBrowse-Slave: up=31.25 kernel=2.1 network=5 listening=7.75 renders=4 drawn=30'),
    [
      '127.0.0.1',
      { uptime: 31.25, phases: { kernel: 2.1, network: 5, listening: 7.75 }, renders: 4, lastRender: 30 },
    ],
  );
  for (const header of [
    'X-GBrowse-Slave: up=x renders=1',
    'X-GBrowse-Slave: renders=1',
    'X-GBrowse-Slave: up=1 renders=-1',
    `X-GBrowse-Slave: up=${'9'.repeat(400)} renders=1`,
    'X-Other: up=1 renders=1',
  ])
    assert.equal(await says(header), undefined, header);
});
