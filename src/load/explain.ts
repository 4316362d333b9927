import { messageOf, systemCode } from '../errors.ts';
import { duration } from '../format/durations.ts';
import { modStatusBlock } from './mod-status.ts';
import type { Target } from './target.ts';

/**
 * A virtual host that only this machine reaches: no rewrite rules, no redirect to https, no password and no certificate
 * of the site come between the balancer and mod_status there.
 */
function loopbackHost(path: string): string {
  const block = modStatusBlock(path).replace(/^ {4}ExtendedStatus On\n/, '');
  return `a virtual host of its own, which only this machine can reach:
    Listen 127.0.0.1:8118
    <VirtualHost 127.0.0.1:8118>
${block.replaceAll(/^/gm, '    ')}
    </VirtualHost>
Reload Apache, and set server_status_url to http://127.0.0.1:8118${path === '/' ? '/server-status' : path}`;
}

/** What an HTTP status other than 200 means, and what to do. */
export function refusal(status: number, headers: Headers, target: Target): string {
  const { path } = target;
  switch (status) {
    case 401:
      return unauthorized(headers.get('www-authenticate') ?? '', target);
    case 403:
      return `Apache refuses (403 Forbidden): its configuration does not let this machine see the page. Put "Require local" into the <Location "${path}"> block and use http://localhost, or put "Require ip" with the address of this machine into it; then reload Apache. Or give mod_status ${loopbackHost(path)}`;
    case 404:
      return `there is no such page (404 Not Found). Either mod_status is not enabled there: run "a2enmod status" (Debian) and put this into the configuration of Apache, then reload Apache:
${modStatusBlock(path)}
Or rewrite rules of an application (WordPress, Drupal and others, in .htaccess or the virtual host) capture the address: put this line before their RewriteRule:
    RewriteCond %{REQUEST_URI} !=${path}
Or give mod_status ${loopbackHost(path)}`;
    default:
      if (status >= 300 && status < 400) return redirected(status, headers.get('location'), target);
      if (status >= 500) return `the server failed (${status}). Its error log says why`;
      return `the answer is HTTP status ${status}, not a page. Point server_status_url at the server-status page of Apache itself`;
  }
}

function unauthorized(asked: string, { path, hasCredentials }: Target): string {
  const alternative = `Or give mod_status ${loopbackHost(path)}`;
  const open = `Put "Require local" into the <Location "${path}"> block beside its other Require lines, without <RequireAll>, and use http://localhost. ${alternative}`;
  if (/^\s*digest/i.test(asked) && !/\bbasic\b/i.test(asked))
    return `Apache wants a password by Digest authentication (401), which the balancer does not support. ${open}`;
  if (hasCredentials)
    return `Apache does not accept the user name and password of server_status_url (401). Correct them (a special character is written as %40 for @, %3A for :). ${alternative}`;
  return `Apache wants a user name and a password (401). ${open}
Or put them into server_status_url, http://USER:PASSWORD@localhost${path}, and make the configuration file readable only by root`;
}

function redirected(status: number, location: string | null, target: Target): string {
  const to = location === null ? null : URL.parse(location, target.url);
  if (to === null) return `the answer is a redirect to another address (${status}). ${pastRedirect(target)}`;
  const where = location?.startsWith('/') === true ? to.pathname : to.origin + to.pathname;
  const why = `the answer is a redirect to ${where} (${status})`;
  if (to.origin + to.pathname === target.shown)
    return `${why}, which is the requested address itself: an endless loop. ${pastRedirect(target)}`;
  return `${why}. ${pastRedirect(target)}`;
}

function pastRedirect({ path }: Target): string {
  return `If a rewrite rule redirects (to https, or to a login), put this line before it:
    RewriteCond %{REQUEST_URI} !=${path}
If it is a Redirect of the whole site, give mod_status ${loopbackHost(path)}`;
}

/** Why no answer came, and what to do. */
export function disconnection(error: unknown, timeLimit: number, timedOut: boolean, target: Target): string {
  const code = systemCode(error) ?? '';
  if (timedOut) {
    return `no connection within ${duration(timeLimit)}. A firewall drops the packets, or the machine is down or overloaded`;
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
    return `the certificate of the server is not accepted (${code}): it is for another name, has expired, or comes from an unknown authority. Use the host name of the certificate in server_status_url, or give mod_status ${loopbackHost(target.path)}`;
  }
  if (/SSL|EPROTO/.test(code)) {
    return `the server does not speak TLS there (${code}). Should server_status_url begin with http:// ?`;
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `${messageOf(cause)}. Check server_status_url`;
}
