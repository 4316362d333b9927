// JavaScript, because it runs on any Node from 18 on and fetches the one for the rest.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** @type {{ version: string, integrity: Record<string, string> }} */
const pinned = JSON.parse(readFileSync(path.join(root, 'build/node.json'), 'utf8'));

/** The version of Node that the project runs on and ships. */
export const NODE_VERSION = pinned.version;

/** What people can act on, as opposed to a bug. */
export class NodeUnavailableError extends Error {}

/**
 * The directory of the npm package `node-linux-ARCH` with Node's stock executable `bin/node` and its `LICENSE`. Where it
 * is missing, npm fetches it into `node_modules/.cache`, with its own settings for registry, proxy and certificates. It
 * must have the checksum that `build/node.json` says. Two callers at once do not disturb each other.
 *
 * @param {string} arch as in `process.arch`
 * @returns {string}
 * @throws {NodeUnavailableError} when there is none for the architecture, it cannot be fetched, or it is another one
 */
export function nodePackage(arch) {
  const integrity = pinned.integrity[arch];
  if (process.platform !== 'linux' || integrity === undefined) {
    const known = Object.keys(pinned.integrity).join(' or ');
    throw new NodeUnavailableError(
      `There is no Node for ${process.platform}-${arch}, only for linux on ${known}.`,
    );
  }
  const name = `node-linux-${arch}`;
  const cache = path.join(root, 'node_modules/.cache');
  const directory = path.join(cache, `${name}-${pinned.version}`);
  if (existsSync(directory)) return directory;

  say(`fetching Node ${pinned.version} for linux-${arch} with npm: about 45 MB, only once`);
  /** @type {string | undefined} */
  let unfinished;
  try {
    mkdirSync(cache, { recursive: true });
    unfinished = mkdtempSync(path.join(cache, `${name}-`));
    run('npm', ['pack', '--loglevel=error', '--pack-destination', unfinished, `${name}@${pinned.version}`]);
    const archive = path.join(unfinished, `${name}-${pinned.version}.tgz`);
    const checksum = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (checksum !== integrity) {
      throw new NodeUnavailableError(
        `npm's ${name}@${pinned.version} is not the one of build/node.json: its checksum is ${checksum}.`,
      );
    }
    run('tar', ['-xzf', archive, '-C', unfinished, '--no-same-owner', 'package/bin/node', 'package/LICENSE']);
    if (!moved(path.join(unfinished, 'package'), directory)) return directory;
    say(`Node ${pinned.version} is in ${path.relative(process.cwd(), directory)}`);
    return directory;
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new NodeUnavailableError(`Node ${pinned.version} cannot be put into ${cache}: ${error.message}.`);
  } finally {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { error, status, signal } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error !== undefined) throw new NodeUnavailableError(`${command} cannot be run: ${error.message}.`);
  if (status !== 0) {
    throw new NodeUnavailableError(
      `Node ${pinned.version} cannot be fetched: "${command} ${args[0]}" ended with ${signal ?? `status ${status}`} (its message is above).`,
    );
  }
}

/**
 * Moves a directory to its place, unless somebody else was faster.
 *
 * @param {string} from
 * @param {string} to
 */
function moved(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (existsSync(to)) return false;
    throw error;
  }
}

/** @param {string} message */
function say(message) {
  process.stderr.write(`${message}\n`);
}
