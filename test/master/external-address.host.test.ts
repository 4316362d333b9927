import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { findExternalAddress } from '../../src/master/external-address.ts';

/** Without an answer it never answers. */
async function service(t: TestContext, answer?: string, status = 200): Promise<string> {
  const server = createServer((_, response) => {
    if (answer !== undefined) response.writeHead(status).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}

describe('the external address', () => {
  for (const [what, answer, address] of [
    ['an IPv4 address and a line end', '198.51.100.7\n', '198.51.100.7'],
  ] as const) {
    it(`is what the service answers: ${what}`, async t => {
      assert.equal(await findExternalAddress([await service(t, answer)]), address);
    });
  }

  it('is asked of the next service when one fails or talks nonsense', async t => {
    const services = [
      await service(t, 'busy', 503),
      await service(t, '<html>please log in</html>'),
      await service(t, '2001:db8::1'),
      await service(t, '198.51.100.7'),
    ];
    assert.equal(await findExternalAddress(services), '198.51.100.7');
  });

  it('is looked up within one time limit, however many services do not answer', async t => {
    const silent = await Promise.all([service(t), service(t), service(t)]);
    await assert.rejects(findExternalAddress(silent, 50), /could not be determined .*(;.*){3}/);
    assert.equal(await findExternalAddress([await service(t, '198.51.100.7'), ...silent]), '198.51.100.7');
  });

  it('that nobody knows is an error which says what to set', async t => {
    await assert.rejects(
      findExternalAddress([await service(t, 'busy', 503)]),
      /could not be determined .*set \[MASTER\] external_ip/,
    );
  });
});
