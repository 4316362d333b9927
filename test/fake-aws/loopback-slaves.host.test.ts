import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { MINUTE } from '../../src/clock.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { freePort } from '../peers/free-port.ts';
import { createWorld } from './ec2/world.ts';
import { createLoopbackSlaves, LOOPBACK_NETWORK } from './loopback-slaves.ts';
import { createSimulatedSlaves } from './slaves.ts';

/** The first line of the answer to `HEAD /`; the error's code without one. */
function head(address: string, port: number, signal?: AbortSignal): Promise<string> {
  return new Promise(resolve => {
    request({ host: address, port, method: 'HEAD', ...(signal && { signal }) }, response => {
      response.resume();
      resolve(`${response.statusCode} ${response.statusMessage}`);
    })
      .on('error', error => resolve('code' in error ? String(error.code) : error.message))
      .end();
  });
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, address, () => {
      const at = server.address();
      resolve(typeof at === 'object' && at !== null ? at.port : 0);
    });
  });
}

test('a listener stands at every address of a slave that answers, as long as it does', async t => {
  const port = await freePort();
  const world = createWorld(LOOPBACK_NETWORK);
  const { clock, account, launch, terminate } = world;
  const slaves = createSimulatedSlaves({
    clock,
    random: createRandom(1),
    account,
    settings: { bootTime: 0 },
  });
  const loopback = createLoopbackSlaves(slaves, [port]);
  t.after(loopback.close);

  const [one = '', two = ''] = await launch(2);
  await loopback.sync();
  assert.deepEqual(loopback.listening(), []);
  await clock.runFor(MINUTE);
  const { privateAddress = '', publicAddress = '' } = account.instance(one) ?? {};
  assert.equal(await head(privateAddress, port), 'ECONNREFUSED');
  await Promise.all([loopback.sync(), loopback.sync()]);
  assert.equal(loopback.listening().length, 4);
  assert.equal(await head(privateAddress, port), '403 REQUEST DATASOURCE');
  assert.equal(await head(publicAddress, port), '403 REQUEST DATASOURCE');

  terminate(one);
  slaves.set(two, 'hangs');
  await loopback.sync();
  assert.equal(await head(privateAddress, port), 'ECONNREFUSED');
  const other = account.instance(two)?.privateAddress ?? '';
  assert.equal(await head(other, port, AbortSignal.timeout(50)), 'ABORT_ERR');

  slaves.set(two, 'serves');
  await loopback.sync();
  assert.equal(await head(other, port), '403 REQUEST DATASOURCE');
  await loopback.close();
  assert.equal(await head(other, port), 'ECONNREFUSED');
});

test('a port that is taken already is an error, and the next sync tries again', async t => {
  const world = createWorld(LOOPBACK_NETWORK);
  const { clock, account, launch } = world;
  const squatter = createServer();
  const port = await listen(squatter, '127.100.0.4');
  const slaves = createSimulatedSlaves({
    clock,
    random: createRandom(1),
    account,
    settings: { bootTime: 0 },
  });
  const loopback = createLoopbackSlaves(slaves, [port]);
  t.after(loopback.close);
  await launch(1);
  await clock.runFor(MINUTE);
  await assert.rejects(loopback.sync(), /EADDRINUSE/);
  await new Promise(resolve => squatter.close(resolve));
  await loopback.sync();
  assert.equal(loopback.listening().length, 2);
});
