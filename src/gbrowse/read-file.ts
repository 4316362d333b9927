import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The largest configuration file that is read (bytes); GBrowse's own have a few kB. */
const LARGEST = 4 * 1024 * 1024;

/**
 * The text of somebody else's configuration file. Does not wait for a named pipe, and reads no device.
 *
 * @throws the system's error; `Error` where it is no regular file, or too large
 */
export async function readTextFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > LARGEST)
      throw new Error(`it has ${stats.size} bytes, which is too much for a configuration`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
