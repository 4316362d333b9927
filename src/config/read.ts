import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { messageOf, systemCode, usageError } from '../errors.ts';
import { commentStart } from './document.ts';

/** About a thousand times the size of a real one. */
const MOST_BYTES = 1024 * 1024;

/** A configuration file's text, and the encoding that turns it into the same bytes again. */
type ConfigText = { readonly text: string; readonly encoding: 'utf8' | 'latin1' };

/**
 * Reads a configuration file without ever holding more than 1 MiB of it. The text gives the same bytes again through
 * `Buffer.from(text, encoding)`. UTF-8 is the rule; a file from older days may have Latin-1 in its comments (and only
 * there, because no value of ours is known to be Latin-1).
 *
 * @throws {UserError} naming the file, when it is not there, not readable, not a file, too large or not text
 */
export async function readConfigFile(file: string): Promise<ConfigText> {
  const bytes = await readBytes(file);
  // Text has no control characters but tabs, line ends and form feeds.
  const junk = bytes.findIndex(byte => byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13);
  if (junk >= 0) {
    const code = bytes[junk]?.toString(16).padStart(2, '0');
    throw usageError(`${file}: not a text file (byte 0x${code} at offset ${junk}), expected UTF-8 text`);
  }
  try {
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      encoding: 'utf8',
    };
  } catch {
    return { text: latin1Text(file, bytes), encoding: 'latin1' };
  }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    const kind = kindOf(await stat(file));
    if (kind !== undefined) throw usageError(`${file}: is ${kind}, expected a file`);
    // O_NONBLOCK: should it have become a fifo since, opening it must not wait for a writer.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(MOST_BYTES + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > MOST_BYTES)
        throw usageError(`${file}: is larger than 1 MiB, expected a balancer configuration`);
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readError(file, error);
  }
}

function kindOf(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function readError(file: string, error: unknown): unknown {
  switch (systemCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
      return usageError(`${file}: there is no such file`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return usageError(`${file}: this user may not read it (permission denied)`, { cause: error });
    default:
      return usageError(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function latin1Text(file: string, bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const lines = text.split(/\r\n|\n|\r/);
  const wrong = lines.findIndex(line => /[\x80-\xFF]/.test(line.slice(0, commentStart(line))));
  if (wrong < 0) return text;
  throw usageError(`${file}:${wrong + 1}: not UTF-8, expected UTF-8 text (comments may be Latin-1)`);
}
