import { failure, isUserError, messageOf, systemCode, usageError } from '../errors.ts';
import { modStatusBlock, parseStatus } from './mod-status.ts';
import type { ReadStatus } from './reading.ts';

/** A status page is some kilobytes, on a very large server some tens; what is longer is something else. */
const SIZE_LIMIT = 1024 * 1024;

/** Where to ask: what goes over the wire, and what may be shown. */
type Target = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address without credentials and query. */
  readonly shown: string;
  readonly path: string;
};

/** `%40` and its like; what is not well-formed is taken as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function targetOf(address: string, userAgent: string): Target {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      'server_status_url is not the address of a web page; expected something like http://localhost/server-status',
    );
  }
  const headers: Record<string, string> = {
    accept: 'text/plain',
    'accept-encoding': 'identity',
    // Else the connection stays open for Apache's KeepAliveTimeout, and holds a worker of a prefork server.
    connection: 'close',
    'user-agent': userAgent,
  };
  if (url.username !== '' || url.password !== '') {
    // fetch() refuses an address that has credentials in it.
    const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  url.hash = '';
  if (!url.searchParams.has('auto')) url.search = url.search === '' ? '?auto' : `${url.search}&auto`;
  return { url: url.href, headers, shown: `${url.origin}${url.pathname}`, path: url.pathname };
}

/** What an HTTP status other than 200 means, and what to do. */
function refusal(status: number, location: string | null, { path }: Target): string {
  switch (status) {
    case 401:
      return 'Apache wants a user name and a password (401). Let it answer to the balancer without them ("Require local"), or put them into server_status_url: http://USER:PASSWORD@HOST/server-status';
    case 403:
      return `Apache refuses (403 Forbidden): its configuration does not let this machine see the page. Ask through http://localhost, and let the <Location "${path}"> block say "Require local", or "Require ip" with the address of this machine, then reload Apache`;
    case 404:
      return `there is no such page (404 Not Found): mod_status is not switched on there. Run "a2enmod status" (Debian) and put this into the configuration of Apache, then reload Apache:\n${modStatusBlock(path)}`;
    default:
      if (status >= 300 && status < 400) {
        const to = location === null ? undefined : URL.parse(location, 'http://localhost');
        const where =
          to == null ? 'elsewhere' : location?.startsWith('/') ? to.pathname : to.origin + to.pathname;
        return `the answer is a redirect to ${where} (${status}). Let server_status_url name the address that has the page itself`;
      }
      if (status >= 500) return `the server failed (${status}). Its error log says why`;
      return `the answer is HTTP status ${status}, not a page. Let server_status_url name the server-status of Apache itself`;
  }
}

/** Why no answer came, and what to do. */
function disconnection(error: unknown, timeLimit: number, timedOut: boolean): string {
  const code = systemCode(error) ?? '';
  if (timedOut) {
    return `no answer within ${timeLimit / 1000} s. Apache is overloaded or hangs, or a firewall swallows the packets`;
  }
  if (code === 'ECONNREFUSED') {
    return 'connection refused: nothing listens there. Is Apache running, and on that port?';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'the host name cannot be resolved. Check server_status_url and the name service of this machine';
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') {
    return `the host cannot be reached (${code}). Check server_status_url and the network`;
  }
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE') {
    return 'the server closed the connection without an answer. Its error log may say why';
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return `the certificate of the server is not accepted (${code}). Use http://localhost, or NODE_EXTRA_CA_CERTS`;
  }
  if (/SSL|EPROTO/.test(code)) {
    return `the server does not speak TLS there (${code}). Should server_status_url begin with http:// ?`;
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `${messageOf(cause)}. Check server_status_url`;
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
 * Asks mod_status over HTTP, one attempt at a time.
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
): ReadStatus {
  const target = targetOf(address, userAgent);

  async function ask(signal: AbortSignal): Promise<string> {
    // fetch costs 54 ms and some megabytes to load: not before it is needed.
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
      const reason = refusal(response.status, response.headers.get('location'), target);
      throw failure(`cannot read the load from ${target.shown}: ${reason}`);
    }
    const body = await bodyOf(response.body);
    if (body !== undefined) return body;
    throw failure(
      `cannot read the load from ${target.shown}: the answer is longer than ${SIZE_LIMIT / 1024} kB, so it is not ` +
        'mod_status. Check server_status_url',
    );
  }

  return async () => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeLimit);
    let text: string;
    try {
      text = await ask(limit.signal);
    } catch (error) {
      if (isUserError(error)) throw error;
      const reason = disconnection(error, timeLimit, limit.signal.aborted);
      throw failure(`cannot read the load from ${target.shown}: ${reason}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    try {
      return parseStatus(text, target.path);
    } catch (error) {
      throw failure(`cannot read the load from ${target.shown}: ${messageOf(error)}`, { cause: error });
    }
  };
}
