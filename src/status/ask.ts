import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../clock.ts';
import { connectToLock } from '../daemon/lock.ts';
import { systemCode } from '../errors.ts';
import { unixSocketsIn, unixSocketTable } from '../os/unix-sockets.ts';
import { REPORT, type Report, SCHEMA_VERSION } from './report.ts';
import { misfit } from './shape.ts';

/**
 * The result of asking the balancer of a master:
 * - `not running`: nobody holds its lock;
 * - `starting`, `busy`: also after a while;
 * - `silent`: it hung up without a word, as versions without `status` do;
 * - `no answer`: it did not say anything in time, as a process that is stopped (SIGSTOP) does;
 * - `incomprehensible`: its answer is none that this version understands.
 */
export type Answer =
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'not running' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'no answer' }
  | { readonly kind: 'incomprehensible'; readonly why: string };

/** A thousand slaves take less. No more is read, because anybody may hold the lock. */
const MOST_BYTES = 8 * 1024 * 1024;

type AskLimits = {
  /** For one answer, ms. */
  readonly timeLimit: number;
  /** For a start, or for a crowd of clients to go away, ms. */
  readonly patience: number;
};

const LIMITS: AskLimits = { timeLimit: 5 * SECOND, patience: 10 * SECOND };
const PAUSE = SECOND / 4;

/** Asks the balancer of a master for its report. Anybody could hold the lock, so the whole answer is checked. */
export async function askBalancer(master: string, limits: AskLimits = LIMITS): Promise<Answer> {
  const deadline = performance.now() + limits.patience;
  for (;;) {
    const answer = await askOnce(`master:${master}`, limits.timeLimit);
    const mayChange = answer.kind === 'starting' || answer.kind === 'busy';
    if (!mayChange || performance.now() > deadline) return answer;
    await sleep(PAUSE);
  }
}

async function askOnce(lock: string, timeLimit: number): Promise<Answer> {
  let socket: Socket | undefined;
  try {
    socket = await connectToLock(lock);
    if (socket === undefined) return { kind: 'not running' };
    const bytes = await readAll(socket, timeLimit);
    return bytes.length === 0 ? { kind: 'silent' } : understand(bytes.toString('utf8'));
  } catch (error) {
    switch (systemCode(error)) {
      case 'ABORT_ERR':
        return { kind: 'no answer' };
      case 'EAGAIN':
        // Its queue of callers is full.
        return { kind: 'busy' };
      case 'ECONNRESET':
      case 'EPIPE':
        return { kind: 'silent' };
      default:
        throw error;
    }
  } finally {
    socket?.destroy();
  }
}

async function readAll(socket: Socket, timeLimit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const limit = AbortSignal.timeout(timeLimit);
  const giveUp = () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ABORT_ERR' }));
  limit.addEventListener('abort', giveUp, { once: true });
  for await (const part of socket) {
    parts.push(part);
    length += part.length;
    if (length > MOST_BYTES) break;
  }
  limit.removeEventListener('abort', giveUp);
  return Buffer.concat(parts);
}

function understand(text: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'incomprehensible', why: 'it is not JSON' };
  }
  const fields = new Map<string, unknown>(Object.entries(value ?? {}));
  if (fields.get('busy') === true) return { kind: 'busy' };
  if (fields.get('starting') === true) return { kind: 'starting' };
  const error = fields.get('error');
  if (typeof error === 'string') return { kind: 'incomprehensible', why: error };
  const version = fields.get('schemaVersion');
  if (version !== SCHEMA_VERSION) {
    return { kind: 'incomprehensible', why: `its schema version is ${JSON.stringify(version)}` };
  }
  const where = misfit(REPORT, value);
  return where === undefined
    ? { kind: 'report', report: value as Report }
    : { kind: 'incomprehensible', why: `${where} is missing or invalid` };
}

const ABSTRACT_LOCK = '@gbrowse-aws-balancer:master:';

/** The masters for which a balancer runs on this machine (network namespace), as far as their names are visible. */
export async function runningMasters(): Promise<readonly string[]> {
  return mastersIn(unixSocketTable(process.pid));
}

/** The masters in a text of `/proc/net/unix`. */
export function mastersIn(table: string): readonly string[] {
  const names = unixSocketsIn(table).flatMap(({ listens, path }) =>
    listens && path.startsWith(ABSTRACT_LOCK) ? [path.slice(ABSTRACT_LOCK.length)] : [],
  );
  return [...new Set(names)].toSorted();
}
