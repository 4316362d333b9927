import { usageError } from '../errors.ts';

/** Where to ask: what is sent, and what may be shown. */
export type Target = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address without credentials and query. */
  readonly shown: string;
  readonly path: string;
  readonly host: string;
  readonly port: number;
  readonly hasCredentials: boolean;
};

/** `%40` and the like; text that is not well-formed is used as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * What `server_status_url` means.
 *
 * @throws {UserError} when it is no web address
 */
export function targetOf(address: string, userAgent: string): Target {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      'server_status_url is not the address of a web page; expected something like http://localhost/server-status',
    );
  }
  const headers: Record<string, string> = {
    accept: 'text/plain',
    'accept-encoding': 'identity',
    // Otherwise the connection stays open for Apache's KeepAliveTimeout, and occupies a worker of a prefork server.
    connection: 'close',
    'user-agent': userAgent,
  };
  const hasCredentials = url.username !== '' || url.password !== '';
  if (hasCredentials) {
    // fetch() refuses an address that has credentials in it.
    const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  url.hash = '';
  if (!url.searchParams.has('auto')) url.search = url.search === '' ? '?auto' : `${url.search}&auto`;
  return {
    url: url.href,
    headers,
    shown: `${url.origin}${url.pathname}`,
    path: url.pathname,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    hasCredentials,
  };
}

/** `server_status_url` as it may be shown: without user name, password and query. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  return url === null ? 'server_status_url' : `${url.origin}${url.pathname}`;
}
