import { isIP } from 'node:net';

/** An IPv4 or IPv6 address, without a zone. */
export function parseAddress(text: string): string | undefined {
  return isIP(text) !== 0 && !text.includes('%') ? text : undefined;
}
