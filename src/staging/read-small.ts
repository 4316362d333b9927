import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A file's text, where it is a regular one of at most `limit` bytes. It never waits: a user who can write to a
 * directory can also put a FIFO there.
 *
 * @param links whether the file itself may be a symbolic link
 * @returns undefined when it is not there, no such file, or longer
 */
export async function readSmall(
  file: string,
  limit: number,
  links: 'followed' | 'refused' = 'refused',
): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (links === 'refused' ? constants.O_NOFOLLOW : 0);
  const handle = await open(file, flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    if (!(await handle.stat()).isFile()) return undefined;
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > limit) return undefined;
      if (bytesRead === 0) return buffer.toString('utf8', 0, length);
    }
  } catch {
    // A process that ends while it is read.
    return undefined;
  } finally {
    await handle.close();
  }
}
