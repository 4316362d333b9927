import { connect } from 'node:net';
import { failure, isUserError, messageOf } from '../errors.ts';
import { duration } from '../format/durations.ts';
import { disconnection, refusal } from './explain.ts';
import { parseStatus } from './mod-status.ts';
import type { NoPage, StatusPage } from './reading.ts';
import { type Target, targetOf } from './target.ts';

/** A status page has a few kilobytes, on a very large server a few dozen; a longer one is something else. */
const SIZE_LIMIT = 1024 * 1024;
/** How long (ms) a port may take to accept a connection: the kernel does that, however busy the server is. */
const ACCEPT_LIMIT = 2000;

/** Whether the port accepts a connection. */
function accepts({ host, port }: Target): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port });
    const end = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.setTimeout(ACCEPT_LIMIT, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Reads a body up to the size limit; undefined when there is more. */
async function bodyOf(stream: ReadableStream<Uint8Array> | null): Promise<string | undefined> {
  if (stream === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream, and that closes the connection.
    if (size > SIZE_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Asks mod_status over HTTP, one attempt at a time. Where no answer comes in time although the port accepts connections,
 * Apache is overloaded: its workers are busy, and the request waits for one.
 *
 * @param address `server_status_url`; a user name and password in it are sent, and never shown
 * @param timeLimit milliseconds for the whole of it: the connection, the headers and the body
 * @throws {UserError} at once when `address` is no web address
 */
export function readStatus(
  address: string,
  {
    timeLimit,
    userAgent = 'gbrowse-aws-balancer',
  }: { readonly timeLimit: number; readonly userAgent?: string },
): () => Promise<StatusPage | NoPage> {
  const target = targetOf(address, userAgent);

  async function ask(signal: AbortSignal): Promise<string> {
    // fetch costs 54 ms and some megabytes to load, so it is loaded only when it is needed.
    const { ofetch } = await import('ofetch');
    const response = await ofetch.raw(target.url, {
      responseType: 'stream',
      retry: false,
      redirect: 'manual',
      ignoreResponseError: true,
      headers: { ...target.headers },
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      const reason = refusal(response.status, response.headers, target);
      throw failure(`cannot read the load from ${target.shown}: ${reason}`);
    }
    const body = await bodyOf(response.body);
    if (body !== undefined) return body;
    throw failure(
      `cannot read the load from ${target.shown}: the answer is longer than ${SIZE_LIMIT / 1024} kB, so it is not ` +
        'mod_status. Check server_status_url',
    );
  }

  let wasOverloaded = false;
  return async () => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeLimit);
    const sentAt = performance.now();
    let text: string;
    try {
      text = await ask(limit.signal);
    } catch (error) {
      if (isUserError(error)) throw error;
      const timedOut = limit.signal.aborted;
      if (timedOut && (wasOverloaded || (await accepts(target)))) {
        // When the queue of the port is full, too, the kernel drops new connections.
        wasOverloaded = true;
        return {
          overloaded: `Apache accepts connections and does not answer within ${duration(timeLimit)}`,
        };
      }
      wasOverloaded = false;
      const reason = disconnection(error, timeLimit, timedOut, target);
      throw failure(`cannot read the load from ${target.shown}: ${reason}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    wasOverloaded = false;
    try {
      return { ...parseStatus(text, target.path), took: Math.round(performance.now() - sentAt) };
    } catch (error) {
      throw failure(`cannot read the load from ${target.shown}: ${messageOf(error)}`, { cause: error });
    }
  };
}
