import { isIPv4 } from 'node:net';

/** An IPv4 address. */
export function parseAddress(text: string): string | undefined {
  return isIPv4(text) ? text : undefined;
}
