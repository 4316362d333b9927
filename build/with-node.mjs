/**
 * Runs a program with the Node that the project pins, on whatever Node from 18 on the shell has:
 * `node build/with-node.mjs [NODE'S OPTIONS] FILE [ARGUMENTS]`
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { NodeUnavailableError, nodePackage } from './node.mjs';

const child = spawn(path.join(nodeDirectory(), 'bin/node'), process.argv.slice(2), { stdio: 'inherit' });

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
child.on('error', error => fail(`${child.spawnfile} cannot be run: ${error.message}`));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  for (const it of SIGNALS) process.removeAllListeners(it);
  process.kill(process.pid, signal);
});

function nodeDirectory() {
  try {
    return nodePackage(process.arch);
  } catch (error) {
    if (error instanceof NodeUnavailableError) return fail(error.message);
    throw error;
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
