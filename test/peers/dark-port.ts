import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const LISTENS_AND_STOPS = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    process.kill(process.pid, 'SIGSTOP');
  });`;

/**
 * A port of 127.0.0.1 at which packets are dropped, as at a host that is gone: a process that has been stopped takes no
 * connection, and when its backlog is full, the kernel drops what comes.
 */
export async function darkPort(t: TestContext): Promise<number> {
  const child = spawn(process.execPath, ['-e', LISTENS_AND_STOPS], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  const port = Number(said);
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const socket of fillers) socket.destroy();
  });
  await sleep(50);
  assert.ok(
    fillers.some(socket => socket.connecting),
    'the backlog is full',
  );
  return port;
}
