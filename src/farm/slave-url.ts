import { isIPv4, isIPv6 } from 'node:net';

/** `http://10.0.0.5:8101`, `http://[2001:db8::5]:8101` and nothing else: it becomes a line of a file. */
export function isSlaveUrl(text: string): boolean {
  const [, ip4, ip6, port] =
    /^http:\/\/(?:([\d.]{7,15})|\[([\da-fA-F:.]{2,45})\]):(\d{1,5})$/.exec(text) ?? [];
  const address = (ip4 !== undefined && isIPv4(ip4)) || (ip6 !== undefined && isIPv6(ip6));
  return address && Number(port) >= 1 && Number(port) <= 65_535;
}
