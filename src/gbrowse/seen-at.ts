import { statSync } from 'node:fs';
import path from 'node:path';
import { readProcessFile } from '../os/process.ts';

/**
 * The path at which a process sees a file of this machine: in a container the directory may be mounted elsewhere. The
 * file itself is compared (device and inode), below every mount of the same file system.
 *
 * @returns undefined where it does not see the file, or where we may not look
 */
export function pathSeenBy(pid: number, file: string): string | undefined {
  const own = identity(file);
  if (own === undefined) return undefined;
  const ends = endsOf(file);
  for (const mount of mountsOf(pid, own.dev)) {
    for (const candidate of [mount, ...ends.map(end => path.join(mount, end))]) {
      const seen = identity(`/proc/${pid}/root${candidate}`);
      if (seen?.dev === own.dev && seen.ino === own.ino) return candidate;
    }
  }
  return undefined;
}

/** `renderfarm.conf`, `gbrowse/renderfarm.conf`, … */
function endsOf(file: string): readonly string[] {
  const parts = file.split('/').filter(Boolean);
  return parts.map((_, at) => parts.slice(-at - 1).join('/'));
}

/** Where it has mounted a file system, by proc_pid_mountinfo(5): `ID PARENT MAJOR:MINOR ROOT POINT …`. */
function mountsOf(pid: number, dev: bigint): readonly string[] {
  return (readProcessFile(pid, 'mountinfo') ?? '').split('\n').flatMap(line => {
    const [, , device = '', , point] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (point === undefined || major === undefined || minor === undefined) return [];
    return deviceNumber(major, minor) === dev ? [unescaped(point)] : [];
  });
}

/** As the C library's `makedev` puts it together. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

/** Blanks and the like are octal there. */
function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function identity(file: string): { readonly dev: bigint; readonly ino: bigint } | undefined {
  try {
    return statSync(file, { bigint: true });
  } catch {
    return undefined;
  }
}
