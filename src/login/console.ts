import type { Ec2 } from '../ec2/api.ts';
import { isUnsupportedOperation, unless } from '../ec2/errors.ts';

/**
 * What EC2 keeps of an instance's console: the last 64 KB of it now, or, for instances that are not of the Nitro system,
 * as it was some minutes after the last boot. Empty when EC2 has none yet. (EC2 API Reference, "GetConsoleOutput")
 *
 * @throws {Ec2Error}
 */
export async function readConsole(ec2: Ec2, instanceId: string): Promise<string> {
  const answer =
    (await unless(
      isUnsupportedOperation,
      ec2('GetConsoleOutput', { InstanceId: instanceId, Latest: true }),
    )) ?? (await ec2('GetConsoleOutput', { InstanceId: instanceId }));
  return Buffer.from(answer.Output ?? '', 'base64').toString('utf8');
}

/** An SSH host key, as a line of known_hosts has it. */
export type HostKey = { readonly type: string; readonly blob: string };

const BLOCK = /-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----/gs;
const KEY = /(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) +([A-Za-z0-9+/]{40,}={0,2})/g;

/**
 * The public host keys of a machine, from its console: cloud-init prints them at the first boot, and a slave's own script
 * whenever they change, so the last whole block counts. Lines may have prefixes. Half a key is none.
 */
export function hostKeysIn(console: string): readonly HostKey[] {
  const last = [...console.matchAll(BLOCK)].at(-1)?.[1] ?? '';
  const keys = [...last.matchAll(KEY)].map(([, type = '', blob = '']) => ({ type, blob }));
  return keys.filter(isWhole);
}

/** Whether the blob names its type itself, and its parts, each with its length before it, fill it exactly (RFC 4253, 6.6). */
function isWhole({ type, blob }: HostKey): boolean {
  const bytes = Buffer.from(blob, 'base64');
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return at === bytes.length && parts.length > 1 && parts[0]?.toString('latin1') === type;
}

/** A list of known hosts that has one machine, under a name. */
export function knownHosts(name: string, keys: readonly HostKey[]): string {
  return keys.map(({ type, blob }) => `${name} ${type} ${blob}\n`).join('');
}

/**
 * What a console has that it had not before. Its beginning may be gone, and it may have begun anew.
 *
 * @param before the earlier text
 */
export function addedTo(before: string, now: string): string {
  if (now.startsWith(before)) return now.slice(before.length);
  const end = before.slice(-MARK);
  const at = end === '' ? -1 : now.lastIndexOf(end);
  return at === -1 ? now : now.slice(at + end.length);
}

/** So many characters at the end of a console are not there a second time. */
const MARK = 400;
