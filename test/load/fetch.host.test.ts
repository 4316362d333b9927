import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus } from '../../src/load/fetch.ts';
import { isPage } from '../../src/load/reading.ts';

const PAGE = 'localhost\nTotal Accesses: 5\nServerUptimeSeconds: 60\n';

/** Runs `use` with a server's address; fails when a connection is left open afterwards. */
async function serving(server: Server, use: (host: string) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await use(`127.0.0.1:${port}`);
    const deadline = Date.now() + 5_000;
    while (sockets.size > 0 && Date.now() < deadline) await sleep(5);
    assert.equal(sockets.size, 0, 'no connection is left open');
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  }
}

function http(answer: RequestListener): Server {
  return createServer(answer);
}

test('a reading comes from ?auto, over a connection that is closed at once', async () => {
  const seen: IncomingMessage[] = [];
  const server = http((request, response) => {
    seen.push(request);
    response.end(PAGE);
  });
  await serving(server, async host => {
    const reading = await readStatus(`http://${host}/server-status`, {
      timeLimit: 5_000,
      userAgent: 'me/1',
    })();
    assert.ok(isPage(reading));
    const { took, ...page } = reading;
    assert.deepEqual(page, { totalAccesses: 5, serverUptimeSeconds: 60 });
    assert.ok(took !== undefined && took >= 0);
  });
  assert.equal(seen[0]?.url, '/server-status?auto');
  assert.equal(seen[0]?.headers.connection, 'close');
  assert.equal(seen[0]?.headers['user-agent'], 'me/1');
});

const QUERIES = {
  '/s?auto': '/s?auto',
  '/s?': '/s?auto',
  '/s?refresh=5': '/s?refresh=5&auto',
  '/s?a=%2F&auto=1#top': '/s?a=%2F&auto=1',
};

for (const [configured, asked] of Object.entries(QUERIES)) {
  test(`server_status_url …${configured} asks for ${asked}`, async () => {
    let url: string | undefined;
    const server = http((request, response) => {
      url = request.url;
      response.end(PAGE);
    });
    await serving(server, async host => {
      await readStatus(`http://${host}${configured}`, { timeLimit: 5_000 })();
    });
    assert.equal(url, asked);
  });
}

test('user name and password of the address are sent, and shown to nobody', async () => {
  let authorization: string | undefined;
  const server = http((request, response) => {
    authorization = request.headers.authorization;
    response.writeHead(500).end();
  });
  await serving(server, async host => {
    const read = readStatus(`http://us%40er:s%C3%A9cret%zz@${host}/status?token=abc`, { timeLimit: 5_000 });
    await assert.rejects(read(), (error: Error) => {
      assert.match(error.message, new RegExp(`from http://${host}/status: `));
      assert.doesNotMatch(error.message, /cret|us%40er|us@er|token|abc/);
      return true;
    });
  });
  assert.match(authorization ?? '', /^Basic /);
  const sent = Buffer.from(authorization?.slice(6) ?? '', 'base64').toString();
  assert.equal(sent, 'us@er:s%C3%A9cret%zz');
});

const STATUSES: Record<string, [status: number, headers: Record<string, string>, says: RegExp]> = {
  '401': [
    401,
    { 'www-authenticate': 'Basic realm="staff"' },
    /user name and a password \(401\)[\s\S]*http:\/\/USER:PASSWORD@localhost\/server-status/,
  ],
  '401 with Digest': [
    401,
    { 'www-authenticate': 'Digest realm="staff"' },
    /Digest.*does not support[\s\S]*<VirtualHost/,
  ],
  '403': [403, {}, /403 Forbidden.*"Require local"/],
  '404': [404, {}, /404 Not Found.*a2enmod status[\s\S]*ExtendedStatus On\n[\s\S]*SetHandler server-status/],
  '404 of rewrite rules': [
    404,
    {},
    /RewriteCond %\{REQUEST_URI\} !=\/server-status[\s\S]*<VirtualHost 127\.0\.0\.1:8118>/,
  ],
  'a redirect to https': [
    301,
    { location: 'https://127.0.0.1/server-status' },
    /redirect to https:[\s\S]*RewriteCond %\{REQUEST_URI\} !=\/server-status/,
  ],
  '500': [500, {}, /the server failed \(500\)/],
  '503': [503, {}, /the server failed \(503\)/],
  '418': [418, {}, /HTTP status 418/],
  'a redirect': [
    302,
    { location: 'https://u:geheim@other/x?key=geheim' },
    /redirect to https:\/\/other\/x \(302\)/,
  ],
  'a redirect without an address': [301, {}, /redirect to another address \(301\)/],
  'a redirect on the same host': [307, { location: '/login' }, /redirect to \/login \(307\)/],
};

for (const [what, [status, headers, says]] of Object.entries(STATUSES)) {
  test(`${what} is an error that says what to do`, async () => {
    let requests = 0;
    const server = http((_, response) => {
      requests++;
      response.writeHead(status, headers).end('x'.repeat(100_000));
    });
    await serving(server, async host => {
      const read = readStatus(`http://${host}/server-status`, { timeLimit: 5_000 });
      await assert.rejects(read(), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, says);
        assert.match(error.message, /^cannot read the load from http:\/\/127\.0\.0\.1:\d+\/server-status: /);
        assert.doesNotMatch(error.message, /geheim/);
        return true;
      });
    });
    assert.equal(requests, 1, 'no second attempt');
  });
}

function endless(socket: Socket): void {
  const more = () => {
    while (socket.writable && socket.write('x'.repeat(65_536)));
  };
  socket.on('drain', more);
  more();
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';

/** What an Apache does whose workers are all busy. */
const SILENT: Record<string, (socket: Socket) => void> = {
  'never answers': () => {},
  'stops in its headers': socket => void socket.write('HTTP/1.1 200 OK\r\n'),
  'stops in the page': socket => void socket.write(`${HEAD}Total Acc`),
};

for (const [what, behave] of Object.entries(SILENT)) {
  test(`a server that accepts connections and ${what} is overloaded, and no connection is left behind`, async () => {
    const server = createTcpServer(socket => {
      socket.once('data', () => behave(socket));
    });
    await serving(server, async host => {
      assert.deepEqual(await readStatus(`http://${host}/`, { timeLimit: 200 })(), {
        overloaded: 'Apache accepts connections and does not answer within 0.2 s',
      });
    });
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'), 'no timer is left');
  });
}

const CONNECTIONS: Record<string, [behave: (socket: Socket) => void, says: RegExp]> = {
  'a server that closes at once': [socket => socket.end(), /closed the connection without an answer/],
  'a server that resets': [socket => socket.resetAndDestroy(), /closed the connection without an answer/],
  'a page without end': [
    socket => {
      socket.write(HEAD);
      endless(socket);
    },
    /longer than 1024 kB/,
  ],
  'a server that does not speak HTTP': [
    socket => socket.end('SSH-2.0-OpenSSH\r\n'),
    /does not match the HTTP\/1\.1/,
  ],
};

for (const [what, [behave, says]] of Object.entries(CONNECTIONS)) {
  test(`${what} is an error within the time limit, and leaves no connection behind`, async () => {
    const server = createTcpServer(socket => {
      socket.once('data', () => behave(socket));
    });
    await serving(server, async host => {
      await assert.rejects(readStatus(`http://${host}/`, { timeLimit: 5_000 })(), {
        name: 'UserError',
        message: says,
      });
    });
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'), 'no timer is left');
  });
}

test('a port where nothing listens is an error that asks whether Apache runs', async () => {
  const server = createTcpServer();
  let closed = '';
  await serving(server, async host => {
    closed = host;
  });
  const read = readStatus(`http://${closed}/server-status`, { timeLimit: 5_000 });
  await assert.rejects(read(), { name: 'UserError', message: /connection refused.*Is Apache running/ });
});

test('a host that does not exist is an error about its name', async () => {
  const read = readStatus('http://no-such-host.invalid/server-status', { timeLimit: 5_000 });
  await assert.rejects(read(), { name: 'UserError', message: /name cannot be resolved|no answer within/ });
});

test('https:// to a plain server is an error that says so', async () => {
  await serving(
    http((_, response) => response.end()),
    async host => {
      await assert.rejects(readStatus(`https://${host}/`, { timeLimit: 5_000 })(), {
        message: /does not speak TLS/,
      });
    },
  );
});

for (const address of ['', 'localhost/server-status', 'file:///etc/passwd', 'http://']) {
  test(`server_status_url = ${JSON.stringify(address)} is refused before anything is asked`, () => {
    assert.throws(() => readStatus(address, { timeLimit: 5_000 }), { name: 'UserError', exitStatus: 2 });
  });
}
