import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { failure, messageOf, systemCode } from '../errors.ts';

const PIECE = 1024 * 1024;

/**
 * The bytes of a file, piece by piece; of one that gzip has packed (whatever its name is; of several parts, too) what
 * was packed. `-` is the standard input.
 *
 * @throws {UserError} naming the file, when it cannot be read or its gzip data are not whole
 */
export async function* readPieces(file: string): AsyncGenerator<Buffer> {
  try {
    if (file !== '-' && (await stat(file)).isDirectory())
      throw failure(`${file}: is a directory, expected a file`);
    const pieces = rawPieces(file);
    const first = await pieces.next();
    if (first.done === true) return;
    const all = prepend(first.value, pieces);
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) yield* all;
    else yield* unpacked(all);
  } catch (error) {
    throw readError(file, error);
  }
}

async function* rawPieces(file: string): AsyncGenerator<Buffer> {
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: PIECE });
  for await (const piece of source) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function unpacked(packed: AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  // Who iterates meets the errors of both; the callback only keeps the source's from being nobody's.
  return pipeline(packed, createGunzip({ chunkSize: PIECE }), () => {});
}

function readError(file: string, error: unknown): unknown {
  switch (systemCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
      return failure(`${file}: there is no such file`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return failure(`${file}: this user may not read it (permission denied)`, { cause: error });
    case 'Z_BUF_ERROR':
      return failure(`${file}: its gzip data end too early; is it still being written, or was it cut off?`, {
        cause: error,
      });
    case 'Z_DATA_ERROR':
      return failure(`${file}: its gzip data are damaged (${messageOf(error)})`, { cause: error });
    default:
      return failure(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
