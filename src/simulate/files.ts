import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { failure, isUserError, messageOf, systemCode } from '../errors.ts';
import { packingOf, unpacked } from './unpack.ts';

const PIECE = 1024 * 1024;

export async function isDirectory(file: string): Promise<boolean> {
  if (file === '-') return false;
  return (await stat(file).catch(() => undefined))?.isDirectory() === true;
}

/**
 * The bytes of a file, piece by piece; unpacked, if it is packed (whatever its name is; also gzip of several parts); in
 * UTF-8, if it is text in UTF-16; without a byte order mark. `-` is the standard input.
 *
 * @throws {UserError} naming the file, when it cannot be read or what is packed is not whole
 */
export async function* readPieces(file: string): AsyncGenerator<Buffer> {
  try {
    if (await isDirectory(file)) throw failure(`${file}: is a directory, expected a file`);
    yield* asText(unpackedPieces(file));
  } catch (error) {
    throw readError(file, error);
  }
}

async function* unpackedPieces(file: string): AsyncGenerator<Buffer> {
  const pieces = rawPieces(file);
  const first = await pieces.next();
  if (first.done === true) return;
  const all = prepend(first.value, pieces);
  const packing = packingOf(first.value);
  if (packing === undefined) yield* all;
  else yield* unpacked(packing, file, all);
}

async function* rawPieces(file: string): AsyncGenerator<Buffer> {
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: PIECE });
  for await (const piece of source) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

/** PowerShell writes UTF-16, and Windows a byte order mark. */
async function* asText(pieces: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let decoder: { decode(piece: Buffer, options: { stream: true }): string } | undefined;
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst) {
      isFirst = false;
      const [one, two, three] = piece;
      if (one === 0xff && two === 0xfe) decoder = new TextDecoder('utf-16le');
      else if (one === 0xfe && two === 0xff) decoder = new TextDecoder('utf-16be');
      else if (one === 0xef && two === 0xbb && three === 0xbf) {
        yield piece.subarray(3);
        continue;
      }
    }
    yield decoder === undefined ? piece : Buffer.from(decoder.decode(piece, { stream: true }));
  }
}

function readError(file: string, error: unknown): unknown {
  if (isUserError(error)) return error;
  switch (systemCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
      return failure(`${file}: there is no such file`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return failure(`${file}: this user may not read it (permission denied)`, { cause: error });
    default:
      return failure(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
