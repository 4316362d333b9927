import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * The beginning of a file, one character per byte; undefined where it cannot be read. It waits for no writer of a pipe.
 *
 * @param limit bytes
 */
export function readBeginning(file: string, limit: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const parts: Buffer[] = [];
    let rest = limit;
    while (rest > 0) {
      const part = Buffer.alloc(Math.min(rest, 64 * 1024));
      const length = readSync(fd, part);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
      rest -= length;
    }
    return Buffer.concat(parts).toString('latin1');
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
